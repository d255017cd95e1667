"""Goal: with a standby, what a killed worker held is answered until its tasks are taken over, where the copy stands.

Method: two workers keep copies of each other's stores. One is killed with SIGKILL. The gateway must then give every window as the
generator's truth has it, say that a copy answers and how old that is, all before the other worker has taken anything over. Posts
that come meanwhile are counted afterwards, and the taken-over stores are not read from their changelogs again.
"""
import collections
import json
import re
import signal
import socket
import time
import urllib.error
import urllib.parse
import urllib.request

import harness
from harness import get, log, wait_until

PIPELINE = harness.SOURCE / "pipelines/city-metrics.yaml"
POSTS, POSTS_BEFORE, RATE = 60_000, 40_000, 50  # 20 minutes
# Tasks are taken over only after this, so a slow host has time to ask; a shorter one would also take it for a dead worker.
SESSION_TIMEOUT_MS = 20_000


def rows_of(truth_file):
    truth = json.loads(truth_file.read_text())
    return {(row["city"], row["window"]["start"]): (row["posts"], row["retweets"]) for row in truth["windows"]}


def windows(gateway):
    """All windows in one page: (rows, role, staleness); None while the gateway cannot say."""
    url = f"{gateway}/api/v1/stores/city-metrics/windows?" + urllib.parse.urlencode(
        {"from": 0, "to": int(time.time() * 1000), "page_size": 1000})
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            page = json.load(answer)
            role, staleness_ms = answer.headers["Tailrace-Role"], int(answer.headers["Tailrace-Staleness-Ms"])
    except urllib.error.HTTPError as error:
        assert error.code == 503, f"{error.code}: {error.read().decode(errors='replace')}"
        return None
    except (urllib.error.URLError, ConnectionError, socket.timeout):
        return None
    assert not page["next_page_token"], "one page has them all, so that one answer speaks of all stores"
    rows = {(item["key"], item["window"]["start"]): (item["value"]["posts"], item["value"]["retweets"]) for item in page["items"]}
    return rows, role, staleness_ms


def answered(gateway, wanted, role):
    """The answer, when it is `wanted` and comes from copies of this role; else None."""
    answer = windows(gateway)
    return answer if answer and answer[:2] == (wanted, role) else None


def copies(gateway):
    """By worker: the tasks that run there, and those that it has a complete copy of."""
    active, standby = {}, {}
    for task in (get(f"{gateway}/api/v1/tasks") or {"items": []})["items"]:
        if task["state"] == "running":
            (active if task["role"] == "active" else standby).setdefault(task["worker"], set()).add(task["task"])
    return active, standby


def main():
    with harness.System() as system:
        system.start_broker()
        system.create_topic("posts", 4, "retention.ms=-1")
        before, whole, posts = (system.directory / name for name in ("before.json", "whole.json", "posts.jsonl"))
        generate = ["generate", "posts", "--seed", "31", "--rate", str(RATE), "--malformed-rate", "0",
                    "--start", str(int(time.time() * 1000) - 3_600_000)]
        # The same seed and times give the same posts: the file continues what the topic has.
        system.run(*generate, "--count", str(POSTS_BEFORE), "--bootstrap", system.bootstrap, "--truth", str(before))
        system.run(*generate, "--count", str(POSTS), "--output", str(posts), "--truth", str(whole))
        rest = system.directory / "rest.jsonl"
        rest.write_text("".join(posts.read_text().splitlines(keepends=True)[POSTS_BEFORE:]))
        before, whole = rows_of(before), rows_of(whole)
        assert before != whole

        settings = ["num.standby.replicas=1", "processing.guarantee=exactly_once_v2", f"session.timeout.ms={SESSION_TIMEOUT_MS}"]
        workers = {f"worker-{number}": system.start_worker(number, PIPELINE, *settings) for number in (1, 2)}
        gateway = system.start_gateway(workers.values())
        wait_until("the gateway is ready", lambda: harness.ready(gateway), 60)
        wait_until("the first posts are counted", lambda: answered(gateway, before, "active"), 120)

        partitions = next(store["partitions"] for store in get(f"{gateway}/api/v1/stores")["items"] if store["name"] == "city-metrics")

        def all_copied():
            active, standby = copies(gateway)
            return len(active) == 2 and sum(len(tasks) for tasks in standby.values()) == partitions and (active, standby)

        active, standby = wait_until("every store has a copy", all_copied, 60)
        victim, survivor = sorted(active, key=lambda worker: len(standby.get(worker, ())))
        moved = active[victim] & standby[survivor]
        assert moved, (active, standby)
        survivor_log = system.directory / f"{survivor}.log"
        said_before = len(survivor_log.read_text())
        system.stop(victim, signal.SIGKILL)
        log(f"killed {victim}, which held {sorted(moved)}")

        _, _, staleness_ms = wait_until("copies answer for the killed worker", lambda: answered(gateway, before, "standby"),
                                        SESSION_TIMEOUT_MS // 1000)
        assert "standby takes over" not in survivor_log.read_text()[said_before:], "the answer came before the take-over"
        log(f"{len(before)} windows are answered, the oldest copy is {staleness_ms} ms old")
        harness.passed("copies answer for a killed worker with all that it had, and say so")

        system.run("produce", "posts", "--bootstrap", system.bootstrap, "--input", str(rest))
        wait_until("the other worker goes on", lambda: answered(gateway, whole, "active"), 120)
        said = survivor_log.read_text()[said_before:]
        assert set(re.findall(r"standby takes over task=(\S+)", said)) == moved, said[-2_000:]
        tails = {task: int(records) for task, records in re.findall(r"task restores task=(\S+) records_at_most=(\d+)", said)}
        changelog = collections.Counter(partition for _, _, partition, _ in
                                        harness.read_topic(system.bootstrap, "city-metrics-city-metrics-changelog"))
        log(f"read for them: {tails or 'nothing'}; their changelogs have {dict(changelog)} records")
        assert all(tails.get(task, 0) < changelog[int(task.split("_")[1])] / 4 for task in moved), (tails, changelog)
        harness.passed(f"{len(moved)} tasks were taken over where the copies stood; {len(whole)} windows agree with the input")
        system.check_alive()
        assert system.stop(survivor) == 0


main()
