"""Goal: what the gateway answers over HTTP is what the input says, and every wrong question gets a clear answer.

Method: one process on the embedded log (tailrace dev) reads 60,000 generated posts; the generator's own truth, summed here,
is compared with the answers, and the process is killed and started again in between.
"""
import collections
import json
import signal
import urllib.error
import urllib.parse
import urllib.request

import harness
from harness import get, log, wait_until

POSTS = 60_000
PIPELINE = str(harness.SOURCE / "pipelines/city-metrics.yaml")


def problem(url, status):
    """The problem document of a request that must fail with `status`."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            raise AssertionError(f"{url} answered {answer.status}, expected {status}")
    except urllib.error.HTTPError as error:
        body = error.read().decode()
        assert error.code == status, f"{url} answered {error.code}, expected {status}: {body}"
        assert error.headers["Content-Type"].startswith("application/problem+json"), error.headers["Content-Type"]
        return json.loads(body)


def check_against_truth(gateway, truth):
    # Late posts may belong to a window before the first post's.
    start, end = truth["start_ms"] // 300_000 * 300_000 - 600_000, truth["end_ms"] + 1
    posts, retweets, windows = collections.Counter(), collections.Counter(), collections.defaultdict(dict)
    for row in truth["windows"]:
        posts[row["city"]] += row["posts"]
        retweets[row["city"]] += row["retweets"]
        windows[row["city"]][row["window"]["start"]] = row

    answer = get(f"{gateway}/api/v1/cities/top", by="posts", n=5, **{"from": start, "to": end})
    wanted = sorted(posts.items(), key=lambda item: (-item[1], item[0].encode()))[:5]
    assert [(item["city"], item["value"]) for item in answer["items"]] == wanted, (answer, wanted)
    answer = get(f"{gateway}/api/v1/cities/top", by="retweets", n=5, order="asc", **{"from": start, "to": end})
    wanted = sorted(((city, retweets[city]) for city in posts), key=lambda item: (item[1], item[0].encode()))[:5]
    assert [(item["city"], item["value"]) for item in answer["items"]] == wanted, (answer, wanted)
    harness.passed("top 5 by posts and worst 5 by retweets agree with the input")

    cities = get(f"{gateway}/api/v1/cities", **{"from": start, "to": end})["items"]
    assert cities == sorted(posts) or sorted(cities) == sorted(posts), cities
    accents = "Montréal, Québec"
    assert accents in posts and "Montreal, Quebec" in posts, "the generator makes both spellings"
    metrics = get(f"{gateway}/api/v1/cities/{urllib.parse.quote(accents)}/metrics", **{"from": start, "to": end})
    points = {point["start"]: point for point in metrics["points"] if point["posts"] > 0}
    for window_start, row in windows[accents].items():
        point = points[window_start]
        assert (point["posts"], point["retweets"]) == (row["posts"], row["retweets"]), (point, row)
        assert not point["active_users_exact"] or point["active_users"] == row["active_users"], (point, row)
    assert metrics["total"]["posts"] == posts[accents], metrics["total"]
    harness.passed("the trend of a city with accents agrees with the input")

    stored = harness.all_windows(gateway, "city-metrics", 0, end)
    assert {key: value["posts"] for key, value in stored.items()} == \
        {(row["city"], row["window"]["start"]): row["posts"] for row in truth["windows"]}
    harness.passed(f"all {len(stored)} windows, page by page, agree with the input")


def check_bad_questions(gateway):
    errors = problem(f"{gateway}/api/v1/cities/top?by=posts&n=0&order=sideways&from=yesterday", 400)["errors"]
    assert {error["parameter"] for error in errors} == {"n", "order", "from"}, errors
    assert "city-metrics" in json.dumps(problem(f"{gateway}/api/v1/stores/nothing/windows", 404))
    assert "Atlantis" in json.dumps(problem(f"{gateway}/api/v1/cities/Atlantis/metrics", 404))
    problem(f"{gateway}/api/v1/stores/city-metrics/windows?page_token=made-up", 400)
    problem(f"{gateway}/api/v1/cities?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 400)
    problem(f"{gateway}/api/v1/cities/Atlantis/metrics?zone=Mars/Olympus", 400)
    problem(f"{gateway}/nothing/here", 404)
    harness.passed("wrong questions get problem documents that name what is wrong")


def check_operations(gateway):
    tasks = get(f"{gateway}/api/v1/tasks")["items"]
    assert tasks and all(task["role"] == "active" and task["state"] == "running" for task in tasks), tasks
    assert "Sub-topology: 0" in get(f"{gateway}/api/v1/topology")["text"]
    assert get(f"{gateway}/api/v1/routing")["workers"]
    with urllib.request.urlopen(f"{gateway}/metrics", timeout=10) as answer:
        assert "tailrace_build_info" in answer.read().decode()
    with urllib.request.urlopen(f"{gateway}/", timeout=10) as answer:
        assert "<html" in answer.read().decode()
    with urllib.request.urlopen(f"{gateway}/openapi.yaml", timeout=10) as answer:
        assert answer.read().startswith(b"openapi: 3.1")
    harness.passed("tasks, topology, routing, metrics, page and OpenAPI document are served")


def main():
    with harness.System() as system:
        posts, truth_file = system.directory / "posts.jsonl", system.directory / "truth.json"
        system.run("generate", "posts", "--seed", "11", "--count", str(POSTS), "--rate", "50", "--output", str(posts),
                   "--truth", str(truth_file))
        truth = json.loads(truth_file.read_text())
        total = sum(row["posts"] for row in truth["windows"])
        port, grpc, metrics = (harness.free_port() for _ in range(3))
        gateway = f"http://127.0.0.1:{port}"
        arguments = ["dev", PIPELINE, "--listen", f"127.0.0.1:{port}"]
        for setting in (f"log.embedded.dir={system.directory}/log", f"state.dir={system.directory}/state",
                        f"grpc.listen=127.0.0.1:{grpc}", f"metrics.listen=127.0.0.1:{metrics}"):
            arguments += ["--set", setting]
        system.start("dev", *arguments, "--input", str(posts), "--format", "post")
        wait_until("the page is ready", lambda: harness.ready(gateway), 60)

        def counted():
            answer = get(f"{gateway}/api/v1/stores/city-metrics/windows", page_size=1)
            if not answer:
                return 0
            return sum(value["posts"] for value in harness.all_windows(gateway, "city-metrics", 0, truth["end_ms"] + 1).values())

        wait_until(f"{total} posts are counted", lambda: counted() == total, 120)
        check_against_truth(gateway, truth)
        check_bad_questions(gateway)
        check_operations(gateway)

        system.stop("dev", signal.SIGKILL)
        system.start("dev", *arguments)
        wait_until("the page is ready after a kill", lambda: harness.ready(gateway), 60)
        assert counted() == total, f"{counted()} posts after a kill, {total} before"
        harness.passed("a killed process comes back with everything it had")
        assert system.stop("dev") == 0
        log("stopped in order")


main()
