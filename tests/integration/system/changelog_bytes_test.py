"""Goal: changelog topics on a real broker hold Kafka Streams' bytes, as any other client reads them.

Method: posts of two cities in two windows go through a worker; kcat reads the changelog and the sink. The word count example
does the same for a key-value store, whose values are plain big-endian integers.
"""
import json
import os
import subprocess

import harness
from harness import wait_until

WINDOW_MS = 300_000


def post(number, city, created_at):
    return {"id": str(number), "author_id": "a", "created_at": created_at, "text": "t", "kind": "original",
            "place": {"full_name": city, "name": city, "type": "city"}, "source": "test", "received_at": created_at,
            "retweet_count": 0, "favorite_count": 0}


def check_window_store(system):
    start = 1_767_225_600_000  # 2026-01-01T00:00:00Z
    posts = [post(1, "Zürich, Zürich", start), post(2, "Zürich, Zürich", start + 1), post(3, "Ottawa, Ontario", start + WINDOW_MS)]
    file = system.directory / "posts.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in posts))
    system.create_topic("posts", 1, "retention.ms=-1")
    system.create_topic("city-metrics", 1, "retention.ms=-1")
    system.run("produce", "posts", "--bootstrap", system.bootstrap, "--input", str(file), "--format", "post")
    system.start_worker(1, harness.SOURCE / "pipelines/city-metrics.yaml", "topic.retention.ms=-1", "auto.offset.reset=earliest")
    changelog = "city-metrics-city-metrics-changelog"
    wanted = {"Zürich, Zürich".encode() + start.to_bytes(8, "big") + bytes(4): start + 1,
              "Ottawa, Ontario".encode() + (start + WINDOW_MS).to_bytes(8, "big") + bytes(4): start + WINDOW_MS}

    def logged():
        system.check_alive()
        if changelog not in system.run("topics", "list", "--set", f"bootstrap.servers={system.bootstrap}")[1]:
            return None
        keys = {record[0] for record in harness.read_topic(system.bootstrap, changelog)}
        return keys if len(keys) >= len(wanted) else None

    keys = wait_until("the changelog has both windows", logged, 60)
    assert keys == set(wanted), (keys, wanted)
    harness.passed("window store changelog: key, window start, sequence 0")

    sink = {record[0]: json.loads(record[1]) for record in harness.read_topic(system.bootstrap, "city-metrics")}
    assert set(sink) == {key[:-4] for key in wanted}, sink
    assert sink["Zürich, Zürich".encode() + start.to_bytes(8, "big")]["posts"] == 2, sink
    harness.passed("sink topic: windowed key without sequence, JSON value")
    assert system.stop("worker-1") == 0


def check_key_value_store(system):
    program = os.path.join(os.environ["TAILRACE_BINARY_DIR"], "bin/01_word_count")
    process = subprocess.Popen([program, f"bootstrap.servers={system.bootstrap}", f"state.dir={system.directory}/words"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    system.processes["word_count"] = process
    process.stdin.write("to be or not to be\n")
    process.stdin.flush()
    seen = set()
    for line in process.stdout:
        seen.add(line.strip())
        if {"to 2", "be 2", "or 1", "not 1"} <= seen:
            break
    process.stdin.close()
    assert process.wait(30) == 0
    system.processes.pop("word_count")
    latest = {key: value for key, value, _, _ in harness.read_topic(system.bootstrap, "word-count-counts-changelog")}
    assert latest == {word.encode(): count.to_bytes(8, "big") for word, count in
                      (("to", 2), ("be", 2), ("or", 1), ("not", 1))}, latest
    harness.passed("key-value changelog: bare key, big-endian int64")


def main():
    with harness.System() as system:
        system.start_broker()
        check_window_store(system)
        check_key_value_store(system)


main()
