"""What the tests of the shipped pipelines share: made-up input, runs, and the rules of the metrics written down a second time.

Nothing here calls the program for a rule: words, tickers and scores are cut and added up in Python. Only the word lists are read
from the sources, since they are data.
"""
import collections
import datetime
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unicodedata

SOURCE = pathlib.Path(os.environ.get("TAILRACE_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BINARY = os.environ.get("TAILRACE_BIN", str(SOURCE / "build/release/bin/tailrace"))
DAY_MS = 86_400_000


def folder():
    return tempfile.TemporaryDirectory(prefix="tailrace-pipelines-")


def generate(kind, output, *options):
    subprocess.run([BINARY, "generate", kind, "--output", str(output), *options], check=True, capture_output=True)


def run(pipeline, inputs, store=None, options=(), **parameters):
    """The rows of a batch run: (key, window start or None) -> value. Inputs are files, or TOPIC=FILE."""
    command = [BINARY, "run", str(SOURCE / f"pipelines/{pipeline}.yaml"), "--final", *options]
    for name in inputs:
        command += ["--input", str(name)]
    if store:
        command += ["--store", store]
    for name, value in parameters.items():
        command += ["--set", f"{name}={value}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = {}
    for line in done.stdout.splitlines():
        row = json.loads(line)
        assert row["store"] == (store or pipeline), row
        key = (row["key"], row["window"]["start"] if "window" in row else None)
        assert key not in rows, f"{key} twice"
        rows[key] = row["value"]
    return rows


def posts_of(file):
    """Every delivery of a well-formed post, in order; broken lines are left out as the pipelines must."""
    deliveries = []
    for line in pathlib.Path(file).read_bytes().split(b"\n"):
        try:
            post = json.loads(line.decode("utf-8"))
        except ValueError:
            continue
        if isinstance(post, dict) and type(post.get("created_at")) is int:
            deliveries.append(post)
    return deliveries


def merged(deliveries):
    """One post per id: the first delivery, with the largest counters of all."""
    posts = {}
    for post in deliveries:
        known = posts.setdefault(post["id"], dict(post))
        for counter in ("retweet_count", "favorite_count"):
            known[counter] = max(known[counter], post[counter])
    assert len(posts) < len(deliveries), "the input has no redeliveries"
    return list(posts.values())


def start_of(time_ms, size_ms):
    """The start of the window as the rows write it."""
    seconds = time_ms // size_ms * size_ms // 1000
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_of(time_ms):
    return start_of(time_ms, DAY_MS)[:10]


def raw_strings(file):
    return re.findall(r'(-?\d+)?,? ?R"\((.*?)\)"', (SOURCE / "pipeline/src/text" / file).read_text(), re.DOTALL)


STOP_WORDS = {word for _, text in raw_strings("stop_words.cc") for word in text.split()}
WEIGHTS = {word: int(weight) for weight, text in raw_strings("lexicon.cc") for word in text.split()}
ADDRESS_OR_MENTION = re.compile(r"(?<!\w)(?:https?://|www\.)\S*|[@＠][A-Za-z0-9_]*", re.IGNORECASE)
WORD = re.compile(r"[^\W\d_]+")
TICKER = re.compile(r"(?<![\w$])\$([A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?)(?!\w)")


def all_words(text):
    return WORD.findall(unicodedata.normalize("NFC", ADDRESS_OR_MENTION.sub(" ", text)).lower())


def words(text):
    return [word for word in all_words(text) if len(word) > 3 and word not in STOP_WORDS]


def sentiment(text):
    return sum(WEIGHTS.get(word, 0) for word in all_words(text))


def tickers(text):
    return list(dict.fromkeys(ticker.upper() for ticker in TICKER.findall(text)))


def author_of(post):
    return (post.get("author_name") or post["author_id"]).lower()


def count(keys):
    return {key: {"count": number} for key, number in collections.Counter(keys).items()}


def compare(what, actual, expected):
    """Both are equal, and there is something to compare."""
    assert len(expected) > 10, f"{what}: only {len(expected)} rows are expected"
    for key in expected.keys() | actual.keys():
        assert actual.get(key) == expected.get(key), f"{what}, {key}: {actual.get(key)} instead of {expected.get(key)}"
    print(f"{what}: {len(expected)} rows are equal")
