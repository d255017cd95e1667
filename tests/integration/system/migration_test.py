"""Goal: state moves from one schema to the next: `tailrace replay --from earliest` of a changed pipeline (a new field, another size of
windows) rebuilds its results from the log, and the gateway cuts over to them.

Method: the old application counts generated posts in windows of five minutes, then the changed one in windows of fifteen. What each must
have counted is worked out here from the posts' own lines.
"""
import collections
import json
import time

import harness
from harness import wait_until

OLD = harness.SOURCE / "pipelines/city-metrics.yaml"
POSTS = 4_000
MINUTE_MS = 60_000
EVER_MS = 4_102_444_800_000


def expected(posts, window_ms):
    """(city, window start) -> [posts, replies]"""
    rows = collections.defaultdict(lambda: [0, 0])
    for post in posts:
        if (post.get("place") or {}).get("type") == "city":
            start = post["created_at"] // window_ms * window_ms
            row = rows[(post["place"]["full_name"], time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start // 1000)))]
            row[0] += 1
            row[1] += post["kind"] == "reply"
    return dict(rows)


def main():
    with harness.System() as system:
        system.start_broker()
        system.create_topic("posts", 3)
        lines = system.directory / "posts.jsonl"
        system.run("generate", "posts", "--seed", "11", "--count", str(POSTS), "--rate", "1", "--malformed-rate", "0", "--output", str(lines))
        posts = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
        system.run("produce", "posts", "--bootstrap", system.bootstrap, "--input", str(lines))

        changed = system.directory / "changed.yaml"
        text = OLD.read_text(encoding="utf-8")
        changed.write_text(text.replace("window: 5m", "window: 15m").replace(
            "        posts: count\n", "        posts: count\n        replies: {count_if: {field: kind, in: [reply]}}\n"), encoding="utf-8")
        assert changed.read_text(encoding="utf-8").count("15m") == 1 and "replies" in changed.read_text(encoding="utf-8")

        grpc, metrics = harness.free_port(), harness.free_port()
        old = system.start_worker(1, OLD)
        gateway = system.start_gateway([old, f"127.0.0.1:{grpc}"])
        wait_until("the gateway answers", lambda: harness.ready(gateway), 60)

        def stored(fields):
            return {key: [value.get(field) for field in fields] for key, value in
                    harness.all_windows(gateway, "city-metrics", 0, EVER_MS).items()}

        before = {key: row[:1] for key, row in expected(posts, 5 * MINUTE_MS).items()}
        wait_until("the old application has counted all", lambda: stored(["posts"]) == before, 60)
        harness.passed(f"{len(before)} windows of five minutes before")

        arguments = ["replay", str(changed), "--from", "earliest"]
        for setting in (f"bootstrap.servers={system.bootstrap}", f"state.dir={system.directory}/state-replay", f"grpc.listen=127.0.0.1:{grpc}",
                        f"metrics.listen=127.0.0.1:{metrics}"):
            arguments += ["--set", setting]
        system.start("replay", *arguments)
        after = expected(posts, 15 * MINUTE_MS)

        def cut_over():
            system.check_alive()
            return stored(["posts", "replies"]) == after

        wait_until("the gateway answers from the changed application", cut_over, 90)
        assert len(after) < len(before)
        harness.passed(f"{len(after)} windows of fifteen minutes, with the new field, after")


if __name__ == "__main__":
    main()
