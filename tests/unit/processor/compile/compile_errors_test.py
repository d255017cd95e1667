"""A missing or wrong serde is a compile error that says what to do, not an error at run time.

Method: hands each source to the compiler without code generation, with the flags of the build, and looks for the message.
"""
import pathlib
import subprocess
import sys

WANTED = {
    "missing_serde.cc": "this type has no serde: specialise tailrace::processor::DefaultSerde<T>, or pass one with Consumed",
    "wrong_serde.cc": "this serde is not one for this type",
}


def main():
    compiler, includes = sys.argv[1], sys.argv[2:]
    here = pathlib.Path(__file__).resolve().parent
    for name, message in WANTED.items():
        result = subprocess.run([compiler, "-std=c++20", "-fsyntax-only", *(f"-I{path}" for path in includes if path), str(here / name)],
                                capture_output=True, text=True)
        if result.returncode == 0:
            raise SystemExit(f"{name} compiles")
        if message not in result.stderr:
            raise SystemExit(f"{name}: the message does not say what to do:\n{result.stderr[:4000]}")
    print(f"{len(WANTED)} sources refused with the message that says what to do")


main()
