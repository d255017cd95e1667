"""Goal: sentiment per user, ticker and day stands beside the ticker's change on that day, whichever came first.

Method: generated posts with cashtags, some delivered again; generated bars, some of which come again with other prices and earlier or
later times; the join is made once more in Python. The bars are read before the posts, behind them, and both in turns.
"""
import json
import pathlib
import random

import truth

draw = random.Random(13)
with truth.folder() as folder:
    posts_file, generated, bars_file = (pathlib.Path(folder) / name for name in ("posts.jsonl", "generated.jsonl", "bars.jsonl"))
    truth.generate("posts", posts_file, "--seed", "13", "--count", "6000", "--rate", "1", "--start", "2026-01-01T23:10:00Z",
                   "--authors", "60", "--malformed-rate", "0.01", "--late-rate", "0.05", "--cashtag-rate", "0.3", "--redeliver-rate", "0.2")
    truth.generate("bars", generated, "--seed", "13", "--count", "36", "--rate", "1", "--start", "2026-01-03T00:00:00Z")

    bars = [json.loads(line) for line in generated.read_text().splitlines()]
    days = {bar["date"] for bar in bars}
    assert {"2026-01-01", "2026-01-02"} <= days, days
    # Some tickers have no bar of some days, and some bars were corrected.
    bars = [bar for bar in bars if draw.random() > 0.15]
    for bar in list(bars):
        for _ in range(draw.randrange(3)):
            bars.append(dict(bar, close=round(bar["close"] * draw.uniform(0.9, 1.1), 2), received=bar["received"] + draw.choice((-60, -5, 5, 60))))
    draw.shuffle(bars)
    bars_file.write_text("".join(json.dumps(bar) + "\n" for bar in bars))
    newest = {}
    for bar in bars:
        known = newest.setdefault((bar["ticker"], bar["date"]), bar)
        if bar["received"] >= known["received"]:
            newest[bar["ticker"], bar["date"]] = bar

    scores = {}
    for post in truth.merged(truth.posts_of(posts_file)):
        for ticker in truth.tickers(post["text"]):
            key = (truth.author_of(post), ticker, truth.day_of(post["created_at"]))
            scores.setdefault(key, []).append(truth.sentiment(post["text"]))
    expected = {}
    for (user, ticker, day), of_key in scores.items():
        bar = newest.get((ticker, day))
        expected[f"{user}|{ticker}|{day}", None] = {"sentiment": sum(of_key) / len(of_key), "posts": len(of_key),
                                                    "day_change": bar and (bar["close"] - bar["open"]) / bar["open"]}
    without = sum(row["day_change"] is None for row in expected.values())
    assert 0 < without < len(expected) / 2, f"{without} of {len(expected)} rows are without a bar"

    orders = {"bars first": [f"bars={bars_file}", f"posts={posts_file}"], "posts first": [f"posts={posts_file}", f"bars={bars_file}"]}
    halves = []
    for topic, file in (("posts", posts_file), ("bars", bars_file)):
        lines = file.read_bytes().splitlines(keepends=True)
        for part, of_part in enumerate((lines[:len(lines) // 2], lines[len(lines) // 2:])):
            name = pathlib.Path(folder) / f"{topic}-{part}.jsonl"
            name.write_bytes(b"".join(of_part))
            halves.append((part, f"{topic}={name}"))
    orders["in turns"] = [name for _, name in sorted(halves)]
    for what, inputs in orders.items():
        truth.compare(f"sentiment, {what}", truth.run("sentiment", inputs), expected)
