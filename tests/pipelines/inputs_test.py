"""Goal: every format is read alike from a plain and a packed file, a folder, standard input and a URL, and bar and visa also from CSV.

Method: recorded inputs of each format (tests/fixtures/formats) with broken records among them; the rows are written down here.
"""
import contextlib
import functools
import gzip
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import threading

import truth

FIXTURES = truth.SOURCE / "tests/fixtures/formats"
NEWS = """application.id: news
source: {topic: news, format: news}
steps:
  - key: category
  - window: {tumbling: 1d, grace: 1d}
  - aggregate: {store: news, fields: {items: count, latest: {last: headline}}}
"""
GENT, LYON = "Gent, Vlaanderen", "Lyon, Auvergne-Rhône-Alpes"
CITIES = {(GENT, "2026-01-01T00:00:00Z"): {"posts": 2, "retweets": 1, "active_users": 1, "active_users_exact": True},
          (LYON, "2026-01-01T00:05:00Z"): {"posts": 1, "retweets": 0, "active_users": 1, "active_users_exact": True}}
CANDLES = {("AAPL", "2026-01-01T00:00:00Z"): {"open": 122.5, "high": 123.75, "low": 121.25, "close": 123.75, "volume": 7, "trades": 3},
           ("AAPL", "2026-01-01T00:01:00Z"): {"open": 120, "high": 120, "low": 120, "close": 120, "volume": 1, "trades": 1},
           ("BINANCE:BTCUSDT", "2026-01-01T00:00:00Z"): {"open": 64125.5, "high": 64125.5, "low": 64125.5, "close": 64125.5, "volume": 0.0125, "trades": 1}}
DAYS = {("RY", "2026-01-02T00:00:00Z"): {"days": 1, "open": 100, "high": 105, "low": 98, "close": 104, "change": 0.04, "volume": 5500},
        ("RY", "2026-01-05T00:00:00Z"): {"days": 1, "open": 102, "high": 106, "low": 101, "close": 105, "change": 3 / 102, "volume": 6000},
        ("ENB", "2026-01-02T00:00:00Z"): {"days": 1, "open": 50, "high": 50, "low": 50, "close": 50, "change": 0, "volume": 100}}
WAGES = {("Software Engineer|Year", "2026-01-01T00:00:00Z"): {"average": 125000.25, "count": 2, "unit": "Year"},
         ("Software Engineer|Hour", "2026-01-01T00:00:00Z"): {"average": 60.25, "count": 1, "unit": "Hour"},
         ('Data Scientist, "lead"|Year', "2026-01-01T00:00:00Z"): {"average": 150000, "count": 1, "unit": "Year"}}
ITEMS = {("top news", "2026-01-01T00:00:00Z"): {"items": 2, "latest": "two"}, ("forex", "2026-01-02T00:00:00Z"): {"items": 1, "latest": "drei"}}
POST_SKIPS = "blank 1, delete_notice 1, malformed_json 1, invalid_utf8 1"

# file, pipeline, format, rows, events, skipped
CASES = [("post.jsonl", "city-metrics", "post", CITIES, 3, POST_SKIPS),
         ("x-v2.jsonl", "city-metrics", "x-v2", CITIES, 3, POST_SKIPS),
         ("x-v1.jsonl", "city-metrics", "x-v1", CITIES, 3, POST_SKIPS),
         ("datasift.jsonl", "city-metrics", "datasift", CITIES, 3, POST_SKIPS),
         ("trade.jsonl", "ohlcv", "trade", CANDLES, 5, "wrong_type 1, number_out_of_range 1"),
         ("finnhub-trades.jsonl", "ohlcv", "finnhub-trades", CANDLES, 5, "control_frame 1, wrong_type 1, number_out_of_range 1"),
         ("bar.jsonl", "ticker-views", "bar", DAYS, 5, "bad_timestamp 1"),
         ("bar.csv", "ticker-views", "bar", DAYS, 5, "bad_timestamp 1"),
         ("visa.jsonl", "wages", "visa", WAGES, 4, "wrong_type 1"),
         ("visa.csv", "wages", "visa", WAGES, 4, "wrong_type 1"),
         ("news.jsonl", "news", "news", ITEMS, 3, "bad_timestamp 1")]


def run(pipeline, input_format, inputs, stdin=None):
    command = [truth.BINARY, "run", str(pipeline), "--format", input_format, "--now", "2026-02-01T00:00:30Z" if input_format != "visa" else "2026-01-01T00:00:30Z"]
    for name in inputs:
        command += ["--input", str(name)]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=60, env={**os.environ, "no_proxy": "*", "NO_PROXY": "*"})


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path != "/broken-off":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"created_at":1}\n')


@contextlib.contextmanager
def served(folder):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def check(what, done, rows, events, skipped):
    assert done.returncode == 0, f"{what}: {done.stderr.decode()}"
    actual = {(row["key"], row["window"]["start"]): row["value"] for row in map(json.loads, done.stdout.decode().splitlines())}
    assert actual == rows, f"{what}: {actual} instead of {rows}"
    summary = done.stderr.decode()
    assert f"{events} events" in summary and f"skipped: {skipped}\n" in summary, f"{what}: {summary}"


def check_refused(done, *parts):
    text = done.stderr.decode()
    assert done.returncode == 1 and all(part in text for part in parts), (done.returncode, text)


with truth.folder() as folder, served(folder) as address:
    news = pathlib.Path(folder, "news.yaml")
    news.write_text(NEWS)
    for name, pipeline_name, input_format, rows, events, skipped in CASES:
        pipeline = news if pipeline_name == "news" else truth.SOURCE / f"pipelines/{pipeline_name}.yaml"
        plain = (FIXTURES / name).read_bytes()
        # Half of it packed, half of it not, in a folder whose files follow each other by name.
        parts = pathlib.Path(folder, f"{name}.d")
        parts.mkdir()
        lines = plain.splitlines(keepends=True)
        header = lines[:1] if name.endswith(".csv") else []
        (parts / "a").write_bytes(gzip.compress(b"".join(lines[:3])))
        (parts / "b").mkdir()
        (parts / "b" / "c").write_bytes(b"".join(header + lines[3:]))
        (parts / ".ignored").write_text("{\n")
        shutil.copy(FIXTURES / name, f"{folder}/{name}")
        # The name says one thing, the content another.
        pathlib.Path(folder, f"{name}.packed").write_bytes(gzip.compress(plain))
        pathlib.Path(folder, f"{name}.gz").write_bytes(plain)
        for what, source in (("plain", FIXTURES / name), ("packed", f"{folder}/{name}.packed"), ("called .gz", f"{folder}/{name}.gz"), ("folder", parts),
                             ("url", f"{address}/{name}"), ("packed url", f"{address}/{name}.packed")):
            check(f"{name}, {what}", run(pipeline, input_format, [source]), rows, events, skipped)
        for what, content in (("standard input", plain), ("packed standard input", gzip.compress(plain))):
            check(f"{name}, {what}", run(pipeline, input_format, ["-"], content), rows, events, skipped)
        print(f"{name}: read alike from everywhere")

    cities = truth.SOURCE / "pipelines/city-metrics.yaml"
    check_refused(run(cities, "post", [f"{address}/nothing.jsonl"]), f"cannot read {address}/nothing.jsonl", "404")
    check_refused(run(cities, "post", [f"{address}/broken-off"]), f"cannot read on in {address}/broken-off")
    pathlib.Path(folder, "short.gz").write_bytes(gzip.compress((FIXTURES / "post.jsonl").read_bytes())[:-4])
    check_refused(run(cities, "post", [f"{folder}/short.gz"]), "short.gz", "ends early")
    secret = address.replace("://", "://user:secret@") + "/nothing.jsonl"
    refused = run(cities, "post", [secret])
    check_refused(refused, "nothing.jsonl")
    assert b"secret" not in refused.stderr, refused.stderr
    print("what cannot be read is named")
