"""Goal: the page shows three lines and two bar charts with data and follows a new window without a reload.

Method: one process on the embedded log with 10 s windows, a live generator, and a real browser. Screenshots are kept in
build/<preset>/screenshots.
"""
import os
import pathlib
import shutil
import subprocess
import sys

import harness
from harness import wait_until

BROWSER_SECONDS = 240


def main():
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium or not shutil.which("node"):
        print("skipped: chromium or node is not installed; './run test' installs them")
        sys.exit(77)
    screenshots = pathlib.Path(os.environ["TAILRACE_BINARY_DIR"]) / "screenshots"
    screenshots.mkdir(exist_ok=True)
    with harness.System() as system:
        port, grpc, metrics = (harness.free_port() for _ in range(3))
        posts = system.directory / "posts"
        os.mkfifo(posts)
        system.start("generator", "generate", "posts", "--seed", "3", "--rate", "300", "--output", str(posts))
        system.start("dev", "dev", str(harness.SOURCE / "pipelines/city-metrics.yaml"), "--input", str(posts), "--format",
                     "post", "--listen", f"127.0.0.1:{port}", "--set", "window=10s",
                     "--set", f"log.embedded.dir={system.directory}/log", "--set", f"state.dir={system.directory}/state",
                     "--set", f"grpc.listen=127.0.0.1:{grpc}", "--set", f"metrics.listen=127.0.0.1:{metrics}")
        url = f"http://127.0.0.1:{port}"
        wait_until("the page is ready", lambda: harness.ready(url), 60)
        done = subprocess.run(["node", str(harness.SOURCE / "tests/browser/cities.mjs"), url, str(screenshots),
                               "--follow-timeout", "60"], timeout=BROWSER_SECONDS)
        system.check_alive()
        assert done.returncode == 0, "the browser's checks failed, see above"
        assert list(screenshots.glob("*.png")), "no screenshot was kept"
        assert system.stop("generator") == 0
        assert system.stop("dev") == 0
    harness.passed("the page is alive")


main()
