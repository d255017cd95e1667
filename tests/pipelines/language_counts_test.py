"""Goal: every post counts under its language in each of the five windows of 20 s that hold it; without one it is `unknown`.

Method: generated posts, a tenth of them without language, late ones within the grace; the counts are made once more in Python.
"""
import collections
import json
import pathlib

import truth

with truth.folder() as folder:
    file = pathlib.Path(f"{folder}/posts.jsonl")
    truth.generate("posts", file, "--seed", "6", "--count", "3000", "--rate", "30", "--start", "2026-01-01T00:00:01.500Z",
                   "--malformed-rate", "0.01", "--late-rate", "0.1")
    posts = truth.posts_of(file)
    for place, post in enumerate(posts):
        if place % 10 == 0:
            post.pop("lang", None)
    file.write_text("\n".join(json.dumps(post) for post in posts) + "\n{\n")
    counts = collections.Counter()
    for post in posts:
        last = post["created_at"] // 4_000 * 4_000
        for start in range(last - 16_000, last + 1, 4_000):
            counts[post.get("lang", "unknown"), truth.start_of(start, 4_000)] += 1
    assert any(key == "unknown" for key, _ in counts)
    truth.compare("language-counts", truth.run("language-counts", [file], grace="10m"),
                  {key: {"posts": number} for key, number in counts.items()})
