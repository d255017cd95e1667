"""Goal: a user's program compiles against the installed package, in under 15 s for a topology of ten operators, and runs.

Method: installs the build into a folder, configures project/ with find_package(tailrace), compiles and runs it. The time is that
of the compiler's processor, so that tests beside this one do not matter.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

COMPILE_SECONDS_MAX = 15


def main():
    cmake, compiler = sys.argv[1:3]
    project = pathlib.Path(__file__).resolve().parent / "project"
    with tempfile.TemporaryDirectory() as folder:
        run = lambda *command: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        run(cmake, "--install", os.environ["TAILRACE_BINARY_DIR"], "--prefix", f"{folder}/installed")
        run(cmake, "-S", project, "-B", f"{folder}/build", f"-DCMAKE_PREFIX_PATH={folder}/installed",
            f"-DCMAKE_CXX_COMPILER={compiler}", "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG")
        before = os.times()
        run(cmake, "--build", f"{folder}/build")
        after = os.times()
        seconds = (after.children_user + after.children_system) - (before.children_user + before.children_system)
        printed = subprocess.run([f"{folder}/build/ten_operators"], check=True, stdout=subprocess.PIPE, text=True).stdout
        if printed != "tea 2\n":
            raise SystemExit(f"the program printed: {printed}")
        print(f"compiled in {seconds:.1f} s")
        if seconds > COMPILE_SECONDS_MAX:
            raise SystemExit(f"more than {COMPILE_SECONDS_MAX} s for ten operators")


main()
