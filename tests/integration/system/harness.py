"""Starts brokers, workers and gateways for tests of the whole system, and always stops them, each by its process id."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

SOURCE = pathlib.Path(os.environ["TAILRACE_SOURCE_DIR"])
sys.path.append(str(SOURCE / "tests/support"))
from ports import free_port  # for the tests, as harness.free_port

TAILRACE = os.environ["TAILRACE_BIN"]
BROKER = str(SOURCE / "tools/kafka/broker")
POLL_SECONDS = 0.1


def log(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def wait_until(what, condition, seconds):
    """Waits for a condition that returns something true, and returns that; a time-out fails the test."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(POLL_SECONDS)


class Failed(Exception):
    pass


class System:
    """A directory, perhaps a broker, and processes. Use it in a with statement."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tailrace-system."))
        self.processes = {}
        self.bootstrap = None

    def __enter__(self):
        return self

    def __exit__(self, error_type, *_):
        for name in list(self.processes):
            self.stop(name, signal.SIGKILL)
        if self.bootstrap:
            subprocess.run([BROKER, "stop", str(self.directory / "broker")], check=False)
        if error_type is None:
            subprocess.run(["rm", "-rf", str(self.directory)], check=False)
        else:
            for output in sorted(self.directory.glob("*.log")):
                lines = output.read_text(errors="replace").splitlines()
                print(f"---- last lines of {output}", *lines[-25:], sep="\n", flush=True)

    def start_broker(self):
        done = subprocess.run([BROKER, "start", str(self.directory / "broker")], stdout=subprocess.PIPE, text=True, check=True)
        self.bootstrap = done.stdout.strip()
        log(f"broker at {self.bootstrap}")

    def create_topic(self, name, partitions, *settings):
        subprocess.run([BROKER, "topic", str(self.directory / "broker"), name, str(partitions), *settings], check=True)

    def start(self, name, *arguments):
        """Starts `tailrace arguments...`; its output is appended to NAME.log."""
        output = open(self.directory / f"{name}.log", "ab")
        self.processes[name] = subprocess.Popen([TAILRACE, *arguments], stdin=subprocess.DEVNULL, stdout=output,
                                                stderr=subprocess.STDOUT)
        output.close()
        return self.processes[name]

    def stop(self, name, with_signal=signal.SIGTERM, seconds=20):
        """Ends a process and returns its exit code."""
        process = self.processes.pop(name)
        if process.poll() is None:
            process.send_signal(with_signal)
        return process.wait(seconds)

    def check_alive(self):
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise AssertionError(f"{name} ended with {process.returncode}")

    def run(self, *arguments, seconds=300, check=True):
        """Runs `tailrace arguments...` to its end and returns (exit code, standard output, standard error)."""
        done = subprocess.run([TAILRACE, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=seconds)
        if check and done.returncode != 0:
            raise AssertionError(f"tailrace {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.returncode, done.stdout, done.stderr

    def start_worker(self, number, pipeline, *settings):
        """A worker that keeps its ports, state and identity when it is started again under the same number."""
        ports = self.__dict__.setdefault("ports", {})
        grpc, metrics = ports.setdefault(number, (free_port(), free_port()))
        sets = [f"bootstrap.servers={self.bootstrap}", f"state.dir={self.directory}/state-{number}",
                f"group.instance.id=worker-{number}", f"grpc.listen=127.0.0.1:{grpc}", f"metrics.listen=127.0.0.1:{metrics}",
                *settings]
        arguments = ["worker"]
        for setting in sets:
            arguments += ["--set", setting]
        self.start(f"worker-{number}", *arguments, str(pipeline))
        return f"127.0.0.1:{grpc}"

    def start_gateway(self, workers):
        port = free_port()
        self.start("gateway", "gateway", "--workers", ",".join(workers), "--listen", f"127.0.0.1:{port}")
        return f"http://127.0.0.1:{port}"


def get(url, **parameters):
    """The JSON answer of a GET; None when the server is not there or not ready yet (connection refused, 503)."""
    if parameters:
        url += "?" + urllib.parse.urlencode(parameters)
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 503:
            return None
        raise AssertionError(f"{url} answered {error.code}: {error.read().decode(errors='replace')}") from error
    except (urllib.error.URLError, ConnectionError, socket.timeout):
        return None


def ready(url):
    try:
        with urllib.request.urlopen(url + "/readyz", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, socket.timeout):
        return False


def all_windows(gateway, store, start, end):
    """Every (key, window start) -> value of a store, page by page."""
    values, token = {}, ""
    while True:
        page = None
        while page is None:
            page = get(f"{gateway}/api/v1/stores/{store}/windows", **{"from": start, "to": end, "page_size": 1000,
                                                                      "page_token": token})
        for item in page["items"]:
            values[(item["key"], item["window"]["start"])] = item["value"]
        token = page["next_page_token"]
        if not token:
            return values


def read_topic(bootstrap, topic, *options):
    """All committed records of a topic as (key bytes or None, value bytes or None, partition, offset), through kcat."""
    command = ["kcat", "-q", "-C", "-b", bootstrap, "-t", topic, "-e", "-X", "isolation.level=read_committed",
               "-f", "%p %o %K %S\n%k%s\n", *options]
    raw = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=300).stdout
    records, at = [], 0
    while at < len(raw):
        line_end = raw.index(b"\n", at)
        partition, offset, key_size, value_size = (int(part) for part in raw[at:line_end].split())
        at = line_end + 1
        key = None if key_size < 0 else raw[at:at + key_size]
        at += max(key_size, 0)
        value = None if value_size < 0 else raw[at:at + value_size]
        at += max(value_size, 0) + 1
        records.append((key, value, partition, offset))
    return records


def passed(name):
    print(f"ok: {name}", flush=True)
