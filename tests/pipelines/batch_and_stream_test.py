"""Goal: a batch run and a live worker give the same results for the same input; several windows merge as the metrics say.

Method: the same generated file goes through `tailrace run` and through `tailrace dev` on the embedded log, whose stores are asked
with `tailrace query`. What many days of a ticker are together is worked out once more in Python.
"""
import contextlib
import csv
import fractions
import functools
import gzip
import http.server
import json
import pathlib
import threading

import live
import ticker_views_test
import truth


def same_as_batch(folder, pipeline, file, **parameters):
    expected = truth.run(pipeline, [file], **parameters)
    with live.Live(folder, pipeline, file, **parameters) as worker:
        # The last commit makes them equal; until then something is missing.
        worker.wait(f"{pipeline} has all rows", lambda: worker.rows(pipeline) == expected)
    truth.compare(f"{pipeline}, live", expected, expected)


def as_csv(folder, file):
    """A folder with bars.csv.gz, in which the file's bars are rows."""
    bars = [json.loads(line) for line in open(file, encoding="utf-8")]
    (pathlib.Path(folder) / "served").mkdir()
    with gzip.open(f"{folder}/served/bars.csv.gz", "wt", encoding="utf-8", newline="") as packed:
        writer = csv.DictWriter(packed, list(bars[0]))
        writer.writeheader()
        writer.writerows(bars)
    return f"{folder}/served"


@contextlib.contextmanager
def served(folder):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def average(values):
    return float(sum(map(fractions.Fraction, values)) / len(values))


def ticker_view(bars):
    """Of the latest bars of several days."""
    mean = {name: average([bar[name] for bar in bars]) for name in ("open", "close", "volume")}
    return {"days": len(bars), **mean, "high": max(bar["high"] for bar in bars), "low": min(bar["low"] for bar in bars),
            "change": average([(bar["close"] - bar["open"]) / bar["open"] for bar in bars])}


def close_enough(actual, expected):
    return actual.keys() == expected.keys() and all(abs(actual[name] - expected[name]) <= 1e-12 * max(1, abs(expected[name])) for name in expected)


with truth.folder() as folder:
    trades = f"{folder}/trades.jsonl"
    truth.generate("trades", trades, "--seed", "5", "--count", "5000", "--rate", "50", "--start", "2026-01-01T00:00:20Z")
    # The rows that a day's retention still shows must be all: the input is two minutes long.
    same_as_batch(folder, "ohlcv", trades)

    posts = f"{folder}/posts.jsonl"
    truth.generate("posts", posts, "--seed", "7", "--count", "2000", "--rate", "50", "--start", "2026-01-01T00:00:01Z", "--late-rate", "0.05",
                   "--malformed-rate", "0.01")
    same_as_batch(folder, "language-counts", posts, grace="10m")

    file, latest = ticker_views_test.versions(folder, 240)
    batch = truth.run("ticker-views", [file])
    # Live as packed CSV from a URL: dev reads what run reads.
    with served(as_csv(folder, file)) as url, live.Live(folder, "ticker-views", f"{url}/bars.csv.gz") as worker:
        worker.wait("ticker-views has all rows", lambda: worker.rows("ticker-views") == batch)
        for first, end in (("2025-12-01", "2026-02-01"), ("2026-01-12", "2026-01-19")):
            days = {}
            for (ticker, date), bar in latest.items():
                if first <= date < end:
                    days.setdefault(ticker, []).append(bar)
            merged = {row["key"]: row["value"]
                      for row in worker.query("top", "ticker-views", "days", "-n", "100", "--from", f"{first}T00:00:00Z", "--to", f"{end}T00:00:00Z")}
            assert merged.keys() == days.keys() and len(days) == 12, (merged.keys(), days.keys())
            for ticker, bars in days.items():
                assert close_enough(merged[ticker], ticker_view(bars)), f"{ticker}: {merged[ticker]} instead of {ticker_view(bars)}"
            print(f"ticker-views from {first} to {end}: the merged days of {len(days)} tickers are equal")

    # Live windows are of the time of processing, so the parts of a key are put together before they are compared.
    visa = f"{folder}/visa.jsonl"
    truth.generate("visa", visa, "--seed", "3", "--count", "1000")
    wages = {key: value for (key, _), value in truth.run("wages", [visa]).items()}
    total = sum(value["count"] for value in wages.values())
    with live.Live(folder, "wages", visa) as worker:
        worker.wait("wages has all applications", lambda: sum(value["count"] for value in worker.rows("wages").values()) == total)
        parts = {}
        for (key, _), value in worker.rows("wages").items():
            parts.setdefault(key, []).append(value)
    together = {key: {"average": sum(value["average"] * value["count"] for value in values) / sum(value["count"] for value in values),
                      "count": sum(value["count"] for value in values)} for key, values in parts.items()}
    assert together.keys() == wages.keys()
    for key, value in wages.items():
        assert together[key]["count"] == value["count"], key
        assert abs(together[key]["average"] - value["average"]) <= 1e-9 * value["average"], key
    print(f"wages: {len(wages)} rows are equal")
