"""Runs an example and compares what it prints with expected.txt beside its source."""
import pathlib
import subprocess
import sys

program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
printed = subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True, timeout=30).stdout
expected = (folder / "expected.txt").read_text()
if printed != expected:
    raise SystemExit(f"{folder.name} printed:\n{printed}expected:\n{expected}")
