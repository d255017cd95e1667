"""Runs the word count twice on one embedded log: the second start goes on from the counts of the first.

Also checks that the README shows the program exactly as it is here.
"""
import pathlib
import subprocess
import sys
import tempfile

WAIT_SECONDS = 30


def count(program, directory, lines, wanted):
    """Feeds `lines` and returns the printed counts once every wanted one was seen."""
    process = subprocess.Popen(
        [program, f"log.embedded.dir={directory}/log", f"state.dir={directory}/state", "commit.interval.ms=50"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write("".join(line + "\n" for line in lines))
    process.stdin.flush()
    seen = []
    for line in process.stdout:
        seen.append(line.strip())
        if wanted <= set(seen):
            break
    process.stdin.close()
    if process.wait(WAIT_SECONDS) != 0:
        raise SystemExit(f"the program ended with {process.returncode}")
    if not wanted <= set(seen):
        raise SystemExit(f"expected {sorted(wanted)}, saw {seen}")


def main():
    program = sys.argv[1]
    here = pathlib.Path(__file__).resolve().parent
    source = (here / "main.cc").read_text()
    readme = (here.parent.parent / "README.md").read_text()
    if source not in readme:
        raise SystemExit("README.md does not show examples/01_word_count/main.cc as it is")
    with tempfile.TemporaryDirectory() as directory:
        count(program, directory, ["to be or", "not to be"], {"to 2", "be 2", "or 1", "not 1"})
        count(program, directory, ["be"], {"be 3"})
    print("word count: counted, restarted, went on")


main()
