"""Goal: while posts flow, `tailrace replay` rebuilds the last hour into an application of its own, the gateway cuts over without a
failed request or a missing window, every row is then what the log says, and the old application can be stopped and deleted.

Method: the old application counts other kinds of posts as retweets, so that each row shows who made it: windows that ended
before the last hour are copies, all others must be what this test counts in the topic itself. A thread asks the gateway all the
time.
"""
import collections
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import harness
from harness import get, log, wait_until

PIPELINE = str(harness.SOURCE / "pipelines/city-metrics.yaml")
WINDOW_MS, GRACE_MS, HOUR_MS = 300_000, 600_000, 3_600_000
HISTORY_POSTS, HISTORY_RATE = 14_400, 2  # two hours
LIVE_RATE = 50
OLD_KINDS, NEW_KINDS = {"retweet", "quote", "reply"}, {"retweet"}
# A window that the old application has had for so long cannot be missing in one that has caught up.
SETTLED_SECONDS = 8
SETTINGS = ["session.timeout.ms=6000"]


def in_log(bootstrap):
    """(city, window start) -> [posts, posts by kind, authors], counted in the topic."""
    rows = collections.defaultdict(lambda: [0, collections.Counter(), set()])
    newest = collections.Counter()
    for _, value, partition, _ in harness.read_topic(bootstrap, "posts"):
        post = json.loads(value)
        if (post.get("place") or {}).get("type") != "city":
            continue
        at = post["created_at"]
        newest[partition] = max(newest[partition], at)
        start = at // WINDOW_MS * WINDOW_MS
        assert start + WINDOW_MS > newest[partition] - GRACE_MS, "the generator's late posts are within the grace"
        row = rows[(post["place"]["full_name"], start)]
        row[0] += 1
        row[1][post["kind"]] += 1
        row[2].add(post["author_id"])
    return rows


def wanted(rows, kinds_of):
    return {(city, rfc3339(start)): (row[0], sum(row[1][kind] for kind in kinds_of(start)), len(row[2]))
            for (city, start), row in rows.items()}


def stored(gateway, now_ms):
    values = harness.all_windows(gateway, "city-metrics", 0, now_ms + 2 * HOUR_MS)
    assert all(value["active_users_exact"] for value in values.values()), "few authors are counted exactly"
    return {key: (value["posts"], value["retweets"], value["active_users"]) for key, value in values.items()}


def rfc3339(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms // 1000))


def difference(got, expected):
    return [(key, expected.get(key), got.get(key)) for key in sorted(got.keys() | expected.keys()) if got.get(key) != expected.get(key)]


class Poller(threading.Thread):
    """Asks for the windows of the last half hour in one page, again and again; keeps what went wrong."""

    def __init__(self, gateway, now_ms):
        super().__init__(daemon=True)
        parameters = {"from": now_ms - HOUR_MS // 2, "to": now_ms + HOUR_MS, "page_size": 1000}
        self.url = f"{gateway}/api/v1/stores/city-metrics/windows?" + urllib.parse.urlencode(parameters)
        self.done = threading.Event()
        self.problems, self.seen, self.requests = [], {}, 0

    def run(self):
        while not self.done.wait(0.02):
            try:
                with urllib.request.urlopen(self.url, timeout=10) as answer:
                    page = json.load(answer)
            except (urllib.error.URLError, OSError) as error:
                body = error.read().decode(errors="replace") if isinstance(error, urllib.error.HTTPError) else ""
                self.problems.append(f"{time.strftime('%H:%M:%S')} {error} {body}")
                continue
            self.requests += 1
            now = time.monotonic()
            keys = {(item["key"], item["window"]["start"]) for item in page["items"]}
            missing = [key for key, since in self.seen.items() if key not in keys and now - since > SETTLED_SECONDS]
            if missing or page["next_page_token"]:
                self.problems.append(f"{time.strftime('%H:%M:%S')} missing {missing[:3]} of {len(self.seen)}; {len(keys)} in the page")
            for key in keys:
                self.seen.setdefault(key, now)

    def finish(self):
        self.done.set()
        self.join()
        assert not self.problems, self.problems[:5]


def refused(system, *arguments):
    code, _, error = system.run(*arguments, check=False)
    assert code != 0, arguments
    return error


def configuration(system, *settings):
    arguments = []
    for setting in (f"bootstrap.servers={system.bootstrap}", *SETTINGS, *settings):
        arguments += ["--set", setting]
    return arguments


def reset(system, settings):
    """Waits for the end of the sessions of workers that were stopped."""
    said = []

    def done():
        code, _, error = system.run("reset", PIPELINE, *settings, check=False)
        said.append(error)
        return code == 0

    try:
        wait_until("reset", done, 40)
    except AssertionError as error:
        raise AssertionError(f"reset said {set(said)}") from error


def check_bounded(system, rows, from_ms):
    """A replay of half an hour ends by itself; what it has written is what the log says of that time."""
    to_ms = from_ms + HOUR_MS // 2
    own = configuration(system, f"state.dir={system.directory}/state-bounded", f"grpc.listen=127.0.0.1:{harness.free_port()}",
                        f"metrics.listen=127.0.0.1:{harness.free_port()}")
    _, said, _ = system.run("replay", PIPELINE, *own, "--from", rfc3339(from_ms), "--to", rfc3339(to_ms), "--number", "2", seconds=60)
    assert f"done: city-metrics@2 has the results up to {rfc3339(to_ms)}" in said, said
    values = {}
    for key, value, _, _ in harness.read_topic(system.bootstrap, "city-metrics-replay-2"):
        start, row = int.from_bytes(key[-8:], "big"), json.loads(value)
        assert from_ms - WINDOW_MS < start < to_ms, "nothing from before or after the half hour"
        values[(key[:-8].decode(), rfc3339(start))] = (row["posts"], row["retweets"], row["active_users"])
    # Posts come up to five minutes late, so the last windows are not complete at the end.
    expected = {key: row for key, row in wanted(rows, lambda start: NEW_KINDS).items()
                if key[1] > rfc3339(from_ms - WINDOW_MS) and key[1] <= rfc3339(to_ms - 2 * WINDOW_MS)}
    assert expected and not difference({key: values.get(key) for key in expected}, expected), difference(values, expected)[:5]
    harness.passed(f"a bounded replay has {len(expected)} complete windows and ends")


def main():
    with harness.System() as system:
        system.start_broker()
        system.create_topic("posts", 4, "retention.ms=-1")
        now_ms = int(time.time() * 1000)
        system.run("generate", "posts", "--seed", "21", "--count", str(HISTORY_POSTS), "--rate", str(HISTORY_RATE),
                   "--malformed-rate", "0", "--bootstrap", system.bootstrap)
        old = system.start_worker(1, PIPELINE, "retweet_kinds=" + ",".join(sorted(OLD_KINDS)), *SETTINGS)
        replay_port, replay_metrics = harness.free_port(), harness.free_port()
        gateway = system.start_gateway([old, f"127.0.0.1:{replay_port}"])
        history = wanted(in_log(system.bootstrap), lambda start: OLD_KINDS)
        wait_until("the old application has counted the history", lambda: get(f"{gateway}/api/v1/stores/city-metrics/windows", page_size=1)
                   and stored(gateway, now_ms) == history, 60)
        sums = [sum(row[1] for row in wanted(in_log(system.bootstrap), lambda start, kinds=kinds: kinds).values())
                for kinds in (OLD_KINDS, NEW_KINDS)]
        assert sums[0] > sums[1] > 0, "the two applications differ in what they count"

        system.start("live", "generate", "posts", "--seed", "22", "--rate", str(LIVE_RATE), "--live", "--malformed-rate", "0",
                     "--bootstrap", system.bootstrap)
        poller = Poller(gateway, now_ms)
        poller.start()
        own = configuration(system, f"state.dir={system.directory}/state-replay", f"grpc.listen=127.0.0.1:{replay_port}",
                            f"metrics.listen=127.0.0.1:{replay_metrics}")
        assert "is no time" in refused(system, "replay", PIPELINE, *own, "--from", "yesterday")
        assert "user-views-seen" in refused(system, "replay", str(harness.SOURCE / "pipelines/user-views.yaml"), *own, "--from", "-1h")
        assert "was not prepared" in refused(system, "worker", PIPELINE, *own, "--set", "application.id=city-metrics@1")
        _, dry, _ = system.run("replay", PIPELINE, *own, "--from", "-1h", "--dry-run")
        assert "would create topic city-metrics-replay-1-city-metrics-changelog" in dry, dry
        assert "would write to topic city-metrics-replay-1" in dry, dry

        from_ms = int(time.time() * 1000) - HOUR_MS
        system.start("replay", "replay", PIPELINE, *own, "--from", rfc3339(from_ms))
        output = system.directory / "replay.log"
        wait_until("the replay has caught up", lambda: "caught up: the gateway answers from city-metrics@1 now" in output.read_text(), 60)
        system.check_alive()

        gateway_log = system.directory / "gateway.log"
        cut_over = "cut over: queries are answered by another application now from=city-metrics to=city-metrics@1"
        wait_until("the gateway has cut over", lambda: cut_over in gateway_log.read_text(), 30)
        system.check_alive()
        posts = sum(row[0] for row in stored(gateway, now_ms).values())
        wait_until("posts flow after the cut-over",
                   lambda: sum(row[0] for row in stored(gateway, now_ms).values()) > posts + 5 * LIVE_RATE, 60)
        assert system.stop("live") == 0
        # --from was given in whole seconds.
        from_ms = from_ms // 1000 * 1000
        rows = in_log(system.bootstrap)
        assert sum(row[0] for row in rows.values()) > sum(row[0] for row in history.values())
        expected = wanted(rows, lambda start: OLD_KINDS if start + WINDOW_MS <= from_ms else NEW_KINDS)
        wait_until("the replay has counted everything", lambda: stored(gateway, now_ms) == expected, 60)
        copied = sum(start + WINDOW_MS <= from_ms for _, start in rows)
        log(f"{len(expected)} windows are equal, {copied} of them copied; {poller.requests} requests meanwhile")
        assert 0 < copied < len(expected)

        tasks = {task["application"] for task in get(f"{gateway}/api/v1/tasks")["items"]}
        assert tasks == {"city-metrics", "city-metrics@1"}, tasks
        shadow_sink = {key for key, _, _, _ in harness.read_topic(system.bootstrap, "city-metrics-replay-1")}
        assert len(shadow_sink) == len(expected) - copied, (len(shadow_sink), len(expected), copied)
        harness.passed("the gateway answers from the replay, which has every row of the log")

        check_bounded(system, rows, from_ms)
        assert "live members" in refused(system, "reset", PIPELINE, *own, "--set", "application.id=city-metrics@1")
        assert system.stop("worker-1") == 0
        assert stored(gateway, now_ms) == expected
        reset(system, configuration(system, f"state.dir={system.directory}/state-1"))
        assert stored(gateway, now_ms) == expected
        assert gateway_log.read_text().count("cut over") == 1
        poller.finish()
        harness.passed(f"{poller.requests} requests, none failed and no window was missing; the old application is gone")

        # The same replay goes on under the worker verb, and as a replay that was prepared before.
        assert system.stop("replay") == 0
        system.start("again", "worker", PIPELINE, *own, "--set", "application.id=city-metrics@1")
        wait_until("the replay goes on as a worker", lambda: get(f"{gateway}/api/v1/stores/city-metrics/windows", page_size=1)
                   and stored(gateway, now_ms) == expected, 60)
        assert system.stop("again") == 0
        _, dry, _ = system.run("replay", PIPELINE, *own, "--from", "-1h", "--number", "1", "--dry-run")
        assert "city-metrics@1 was prepared before" in dry, dry
        reset(system, own + ["--set", "application.id=city-metrics@1"])
        assert not (system.directory / "state-replay" / "city-metrics@1").exists()
    harness.passed("a replay goes on after a restart and is deleted by reset")


main()
