"""Goal: several pipelines in one process are applications of their own behind one query service; the request registry keeps
what it was told.

Method: `tailrace dev` runs city-metrics and user-views over the same generated posts; what each must have counted is worked out
here from the posts' own lines. Then the process is killed, and started again on the same folders.
"""
import collections
import json
import signal
import subprocess

import harness
from harness import get, wait_until

POSTS = 20_000
CITIES = str(harness.SOURCE / "pipelines/city-metrics.yaml")
USERS = str(harness.SOURCE / "pipelines/user-views.yaml")


def refused(*arguments):
    done = subprocess.run([harness.TAILRACE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 2, (done.returncode, done.stderr)
    return done.stderr


def query(target, *arguments):
    """The rows of an answer; None where there was none."""
    done = subprocess.run([harness.TAILRACE, "query", "--target", target, "--json", *arguments], stdout=subprocess.PIPE, text=True,
                          timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else None


def expected(lines):
    """Posts by city, and posts by user, each post once."""
    cities, users, seen = collections.Counter(), collections.Counter(), set()
    for line in lines:
        post = json.loads(line)
        if (post.get("place") or {}).get("type") == "city":
            cities[post["place"]["full_name"]] += 1
        if post["id"] not in seen:
            seen.add(post["id"])
            users[(post.get("author_name") or post["author_id"]).lower()] += 1
    return cities, users


def main():
    with harness.System() as system:
        copy = system.directory / "copy.yaml"
        copy.write_text(open(CITIES, encoding="utf-8").read())
        message = refused("worker", CITIES, str(copy))
        assert CITIES in message and str(copy) in message and "application.id city-metrics" in message, message
        copy.write_text(copy.read_text().replace("application.id: city-metrics", "application.id: other"))
        message = refused("worker", CITIES, str(copy))
        assert CITIES in message and str(copy) in message and "store city-metrics" in message, message
        harness.passed("two applications or stores of one name are refused, with both names")

        posts = system.directory / "posts.jsonl"
        system.run("generate", "posts", "--seed", "5", "--count", str(POSTS), "--rate", "200", "--malformed-rate", "0", "--output",
                   str(posts))
        cities, users = expected(posts.read_text(encoding="utf-8").splitlines())
        port, grpc, metrics = (harness.free_port() for _ in range(3))
        gateway, target = f"http://127.0.0.1:{port}", f"127.0.0.1:{grpc}"
        arguments = ["dev", CITIES, USERS, "--listen", f"127.0.0.1:{port}", "--set", "window=15m"]
        for setting in (f"log.embedded.dir={system.directory}/log", f"state.dir={system.directory}/state",
                        f"grpc.listen={target}", f"metrics.listen=127.0.0.1:{metrics}"):
            arguments += ["--set", setting]
        system.start("dev", *arguments, "--input", f"posts={posts}")
        wait_until("the page is ready", lambda: harness.ready(gateway), 60)

        def counted():
            by_city, by_user = collections.Counter(), collections.Counter()
            for (city, _), value in harness.all_windows(gateway, "city-metrics", 0, 4_102_444_800_000).items():
                by_city[city] += value["posts"]
            for row in query(target, "scan", "user-views-all-time", "--limit", "1000000") or []:
                by_user[row["key"]] += row["value"]["posts"]
            return by_city == cities and by_user == users

        wait_until("both applications have counted every post", counted, 120)
        harness.passed(f"{len(cities)} cities and {len(users)} users agree with the input")

        stores = {store["name"]: store for store in query(target, "stores")}
        assert stores["city-metrics"]["application"] == "city-metrics" and stores["city-metrics"]["window_size_ms"] == 900_000, stores
        assert stores["user-views"]["application"] == "user-views" and "requests" in stores, stores
        applications = {"city-metrics", "user-views", "requests"}
        assert {task["application"] for task in get(f"{gateway}/api/v1/tasks")["items"]} == applications
        assert {one["application"] for one in get(f"{gateway}/api/v1/topology")["applications"]} == applications
        assert {worker["application"] for worker in get(f"{gateway}/api/v1/routing")["workers"]} == applications
        assert applications <= {entry.name for entry in (system.directory / "state").iterdir()}
        harness.passed("stores, tasks, topologies and routing tables name their application")

        [first] = query(target, "submit", "user", "Alice")
        assert first["created"] and first["request"]["state"] == "requested", first
        [second] = query(target, "submit", "user", "@alice")
        assert not second["created"] and second["request"] == first["request"], second
        system.stop("dev", signal.SIGKILL)
        system.start("dev", *arguments)
        wait_until("the page is ready after a kill", lambda: harness.ready(gateway), 60)
        wait_until("both applications have what they had", counted, 60)
        [third] = query(target, "submit", "user", "ALICE")
        assert not third["created"] and third["request"] == first["request"], third
        assert system.stop("dev") == 0
        harness.passed("a request is made once, also across a kill")


main()
