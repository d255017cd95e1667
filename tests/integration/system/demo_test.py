"""Goal: whoever starts the demo sees all five pages alive within a minute.

Method: tools/demo as users start it, on the embedded log, and five pages in a real browser. Screenshots are kept in
build/<preset>/screenshots/demo.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import harness

ALIVE_SECONDS = 60
BROWSER_SECONDS = 180
# Longer than tools/demo itself waits for its page.
READY_SECONDS = 90
# The demo gives each of its processes 15 s.
STOP_SECONDS = 60


def main():
    if not (os.environ.get("CHROMIUM") or shutil.which("chromium")) or not shutil.which("node"):
        print("skipped: chromium or node is not installed; './run test' installs them")
        sys.exit(77)
    screenshots = pathlib.Path(os.environ["TAILRACE_BINARY_DIR"]) / "screenshots/demo"
    shutil.rmtree(screenshots, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="tailrace-demo-test.") as folder:
        demo = subprocess.Popen([harness.SOURCE / "tools/demo", "--no-browser", "--port", str(harness.free_port())], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "TMPDIR": folder})
        # A demo that neither gets ready nor ends would hold up the reading of its lines.
        give_up = threading.Timer(READY_SECONDS, demo.terminate)
        give_up.start()
        try:
            url = None
            for line in demo.stdout:
                print(line, end="", flush=True)
                found = re.search(r"ready: (http://\S+)", line)
                if found:
                    url = found.group(1)
                    break
            give_up.cancel()
            assert url, "the demo ended before its page was ready, see above"
            # What it goes on to say must not fill the pipe.
            threading.Thread(target=shutil.copyfileobj, args=(demo.stdout, sys.stdout), daemon=True).start()
            done = subprocess.run(["node", str(harness.SOURCE / "tests/browser/demo_pages.mjs"), url, str(screenshots), "--within",
                                   str(ALIVE_SECONDS)], timeout=BROWSER_SECONDS)
            assert demo.poll() is None, f"the demo ended with {demo.returncode}, see above"
            assert done.returncode == 0, "a page is not alive, see above"
            kept = sorted(picture.name for picture in screenshots.glob("*.png"))
            assert len(kept) == 5, kept
            harness.passed(f"all pages are alive; {', '.join(kept)} in {screenshots}")
        finally:
            give_up.cancel()
            demo.send_signal(signal.SIGTERM)
            code = demo.wait(STOP_SECONDS)
        assert code == 0, f"the demo ended with {code} when it was told to stop"
        assert not list(pathlib.Path(folder).glob("*")), "the demo left files behind"
    harness.passed("the demo ends when it is told to")


main()
