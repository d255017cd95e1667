"""Goal: a killed worker loses nothing and doubles nothing.

Method: two workers under exactly_once_v2 share 12 partitions of a real broker. While they work through the posts, one of
them is killed with SIGKILL at a random moment, five times, and started again. Afterwards every window of every city, asked
through the gateway, must equal what the generator says it generated; and so must a read_committed reader of the sink topic
that keeps the last value per key.

    exactly_once_test.py [--posts N] [--kills N] [--seed N]
"""
import argparse
import json
import os
import random
import signal
import time

import harness
from harness import log, wait_until

PIPELINE = harness.SOURCE / "pipelines/city-metrics.yaml"
PARTITIONS = 12
# The broker's lower bound in the tests; a shorter one would take a slow host for a dead worker.
SESSION_TIMEOUT_MS = 6_000
CATCH_UP_SECONDS = 300
# Distinct counts above the exact bound are sketches; this is more than four of their standard errors.
SKETCH_ERROR_MAX = 0.08


def committed(gateway):
    """Posts behind the committed positions of all tasks; None while some worker does not answer."""
    tasks = harness.get(f"{gateway}/api/v1/tasks")
    if not tasks:
        return None
    return sum(part["offset"] for task in tasks["items"] for part in task["inputs"] if part["topic"] == "posts"
               and part["offset"] is not None and part["offset"] > 0)


def lag(gateway):
    """Records behind the ends of all inputs; None while some worker does not answer or some end is not known."""
    tasks = harness.get(f"{gateway}/api/v1/tasks")
    if not tasks or len({part["partition"] for task in tasks["items"] for part in task["inputs"]}) < PARTITIONS:
        return None
    lags = [part["lag"] for task in tasks["items"] for part in task["inputs"]]
    return None if None in lags else sum(lags)


def flatten(truth):
    """(city, window start) -> [posts, retweets, active users]"""
    return {(row["city"], row["window"]["start"]): [row["posts"], row["retweets"], row["active_users"]]
            for row in truth["windows"]}


def counts_of(value, wanted):
    """A stored value as [posts, retweets, active users]. A sketch that is within its error counts as the exact number."""
    active = value["active_users"]
    if wanted and not value["active_users_exact"] and abs(active - wanted[2]) <= SKETCH_ERROR_MAX * wanted[2]:
        active = wanted[2]
    return [value["posts"], value["retweets"], active]


def compare(what, values, wanted):
    got = {key: counts_of(value, wanted.get(key)) for key, value in values.items()}
    exact = sum(value["active_users_exact"] for value in values.values())
    if got == wanted:
        log(f"{what}: {len(wanted)} windows, {sum(row[0] for row in wanted.values())} posts, all equal; "
            f"active users exact in {exact}, within {SKETCH_ERROR_MAX:.0%} in {len(wanted) - exact}")
        return
    missing = [key for key in wanted if key not in got]
    extra = [key for key in got if key not in wanted]
    different = [(key, wanted[key], got[key]) for key in wanted if key in got and got[key] != wanted[key]]
    raise AssertionError(f"{what} differs: {len(missing)} missing {missing[:3]}, {len(extra)} extra {extra[:3]}, "
                         f"{len(different)} different (key, wanted, got) {different[:5]}; sums "
                         f"{sum(r[0] for r in wanted.values())} wanted, {sum(r[0] for r in got.values())} got")


def sink_values(bootstrap):
    latest = {}
    for key, value, _, _ in harness.read_topic(bootstrap, "city-metrics"):
        start_ms = int.from_bytes(key[-8:], "big")
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start_ms // 1000))
        latest[(key[:-8].decode(), start)] = json.loads(value)
    return latest


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--posts", type=int, default=int(os.environ.get("TAILRACE_TEST_POSTS", 2_000_000)))
    parser.add_argument("--kills", type=int, default=int(os.environ.get("TAILRACE_TEST_KILLS", 5)))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("TAILRACE_TEST_SEED", 1)))
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    log(f"seed {arguments.seed}, {arguments.posts} posts, {arguments.kills} kills")

    with harness.System() as system:
        system.start_broker()
        system.create_topic("posts", PARTITIONS, "retention.ms=-1")
        truth_file = system.directory / "truth.json"
        system.start("generator", "generate", "posts", "--seed", str(arguments.seed), "--count", str(arguments.posts),
                     "--rate", "0", "--bootstrap", system.bootstrap, "--truth", str(truth_file))
        settings = ["processing.guarantee=exactly_once_v2", f"session.timeout.ms={SESSION_TIMEOUT_MS}"]
        workers = [system.start_worker(number, PIPELINE, *settings) for number in (1, 2)]
        gateway = system.start_gateway(workers)
        wait_until("the gateway is ready", lambda: harness.ready(gateway), 60)

        # Kills are spread over the progress of the work, not over time, so that each lands while records are processed.
        for kill in range(arguments.kills):
            goal = arguments.posts * (kill + chance.random() * 0.8) / (arguments.kills + 1)
            wait_until(f"progress to {goal:.0f} posts", lambda: (committed(gateway) or 0) >= goal, CATCH_UP_SECONDS)
            time.sleep(chance.random() * 0.2)  # the random moment within a commit interval
            victim = chance.choice((1, 2))
            before = committed(gateway)
            system.stop(f"worker-{victim}", signal.SIGKILL)
            log(f"kill {kill + 1} of {arguments.kills}: worker {victim} after {before} committed posts")
            if before is not None and before >= arguments.posts:
                raise AssertionError("the kill came after the work was done: it proves nothing")
            system.start_worker(victim, PIPELINE, *settings)

        generator = system.processes.pop("generator")
        assert generator.wait(CATCH_UP_SECONDS) == 0, "the generator failed"
        truth = json.loads(truth_file.read_text())
        total = truth["records"]
        # Transaction markers take offsets too, so a position may be past `total` before everything was read: the lag counts.
        wait_until(f"all {total} records are committed", lambda: (committed(gateway) or 0) >= total and lag(gateway) == 0,
                   CATCH_UP_SECONDS)
        system.check_alive()

        wanted = flatten(truth)
        stored = harness.all_windows(gateway, "city-metrics", 0, truth["end_ms"])
        compare("the gateway", stored, wanted)
        compare("the sink topic", sink_values(system.bootstrap), wanted)
        for number in (1, 2):
            started = time.monotonic()
            code = system.stop(f"worker-{number}")
            assert code == 0, f"worker {number} ended with {code} on SIGTERM"
            assert time.monotonic() - started < 10, "SIGTERM took more than 10 s"
    harness.passed(f"{arguments.kills} kills, nothing lost, nothing doubled")


main()
