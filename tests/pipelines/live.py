"""A pipeline that runs live on the embedded log (`tailrace dev`), asked with `tailrace query --json`."""
import json
import os
import re
import signal
import subprocess
import sys
import time

import truth

sys.path.append(str(truth.SOURCE / "tests/support"))
from ports import free_port

DEADLINE_SECONDS = 60
POLL_SECONDS = 0.1


class Live:
    """Use it in a with statement."""

    def __init__(self, folder, pipeline, file, **parameters):
        self.log = f"{folder}/{pipeline}.log"
        command = [truth.BINARY, "dev", str(truth.SOURCE / f"pipelines/{pipeline}.yaml"), "--input", str(file), "--listen", "127.0.0.1:0"]
        settings = {"log.embedded.dir": f"{folder}/{pipeline}-log", "state.dir": f"{folder}/{pipeline}-state", "grpc.listen": f"127.0.0.1:{free_port()}",
                    "metrics.listen": "127.0.0.1:0", "commit.interval.ms": "100", **parameters}
        for name, value in settings.items():
            command += ["--set", f"{name}={value}"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                            env={**os.environ, "no_proxy": "*", "NO_PROXY": "*"})

    def __enter__(self):
        self.target = self.wait("the worker starts", lambda: re.search(r'queries="?([\w.]+:\d+)', self.output())).group(1)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def output(self):
        with open(self.log, errors="replace") as log:
            return log.read()

    def wait(self, what, condition):
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not (result := condition()):
            assert self.process.poll() is None, f"the process ended: {self.output()[-3000:]}"
            assert time.monotonic() < deadline, f"{what}: not within {DEADLINE_SECONDS} s: {self.output()[-3000:]}"
            time.sleep(POLL_SECONDS)
        return result

    def query(self, *arguments):
        """The rows of an answer; None while there is none yet."""
        done = subprocess.run([truth.BINARY, "query", "--target", self.target, "--json", *arguments], capture_output=True, text=True,
                              timeout=DEADLINE_SECONDS, env={**os.environ, "no_proxy": "*"})
        return [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else None

    def rows(self, store):
        """As truth.run gives them."""
        rows = self.query("scan", store, "--limit", "1000000")
        return {(row["key"], row["window"]["start"] if "window" in row else None): row["value"] for row in rows or []}
