"""Goal: a day of a ticker has the values of the bar that was received last, whenever it arrives.

Method: generated bars of two months, to which corrected and outdated versions are added in any order; the latest version is
found once more in Python. What many days are together is the subject of batch_and_stream_test.py.
"""
import json
import pathlib
import random

import truth


def view(bar):
    values = {name: bar[name] for name in ("open", "high", "low", "close", "volume")}
    return {"days": 1, **values, "change": (bar["close"] - bar["open"]) / bar["open"]}


def versions(folder, count):
    """A file of bars with several versions of some days, and the latest of each as (ticker, date) -> bar."""
    file = pathlib.Path(f"{folder}/bars.jsonl")
    truth.generate("bars", file, "--seed", "8", "--count", str(count), "--start", "2026-01-31T00:00:00Z")
    bars = [json.loads(line) for line in file.read_text().splitlines()]
    chance = random.Random(2)
    for bar in list(bars):
        for change in chance.sample([-3_600.5, -1, 0.25, 3_600], chance.choice([0, 0, 1, 3])):
            bars.append({**bar, "received": bar["received"] + change, "close": bar["close"] + change / 7_200, "volume": bar["volume"] + int(change)})
    chance.shuffle(bars)
    file.write_text("\n".join(json.dumps(bar) for bar in bars) + "\n")
    latest = {}
    for bar in bars:
        known = latest.get((bar["ticker"], bar["date"]))
        if known is None or bar["received"] >= known["received"]:
            latest[bar["ticker"], bar["date"]] = bar
    assert len(latest) < len(bars)
    return file, latest


if __name__ == "__main__":
    with truth.folder() as temporary:
        bars_file, newest = versions(temporary, 480)
        truth.compare("ticker-views", truth.run("ticker-views", [bars_file]),
                      {(ticker, f"{date}T00:00:00Z"): view(bar) for (ticker, date), bar in newest.items()})
