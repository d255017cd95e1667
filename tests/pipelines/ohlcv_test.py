"""Goal: candles are those of the definition, open and close by (event time, place in the topic), whatever the order of arrival.

Method: generated ticks, of which many share a millisecond, in a shuffled order; the candles are made once more in Python, with
exact sums.
"""
import fractions
import json
import pathlib
import random

import truth

MINUTE_MS = 60_000


def candle(ticks):
    """`ticks` are (time, place, price, volume)."""
    ticks = sorted(ticks)
    prices = [price for _, _, price, _ in ticks]
    return {"open": prices[0], "high": max(prices), "low": min(prices), "close": prices[-1],
            "volume": float(sum(fractions.Fraction(volume) for *_, volume in ticks)), "trades": len(ticks)}


with truth.folder() as folder:
    file = pathlib.Path(f"{folder}/trades.jsonl")
    truth.generate("trades", file, "--seed", "4", "--count", "12000", "--rate", "50", "--start", "2026-01-01T00:00:20Z")
    lines = file.read_text().splitlines()
    random.Random(1).shuffle(lines)
    file.write_text("\n".join(lines + ["{", '{"symbol":"AAPL","price":0,"volume":1,"ts":1767225600000}']) + "\n")
    windows = {}
    for place, line in enumerate(lines):
        trade = json.loads(line)
        windows.setdefault((trade["symbol"], truth.start_of(trade["ts"], MINUTE_MS)), []).append(
            (trade["ts"], place, trade["price"], trade["volume"]))
    assert any(len({time for time, *_ in ticks}) < len(ticks) for ticks in windows.values()), "no ticks share a millisecond"
    truth.compare("ohlcv", truth.run("ohlcv", [file]), {key: candle(ticks) for key, ticks in windows.items()})
