"""Goal: a client that knows only docs/openapi.yaml is never surprised by a running gateway, whatever it asks.

Method: one process runs all pipelines over generated records. The document is read from the gateway; for each of its operations some hundreds of
requests with right, wrong and odd values are drawn from the parameters' schemas. Each answer must come, with a status that is
documented for the operation, a body that fits the documented schema and nothing beside it, and, when something is wrong, one
problem document that names every wrong parameter together. A second copy of the gateway must say the same as the first.

TAILRACE_TEST_SEED and TAILRACE_TEST_REQUESTS (per operation) make other or more requests.
"""
import collections
import copy
import http.client
import json
import os
import random
import re
import sys
import time
import urllib.parse

import harness
from harness import get, log, wait_until

try:
    import yaml
except ImportError:
    print("skipped: python3-yaml is not installed; './run test' installs it")
    sys.exit(77)
from openapi import bodies, draw, schema

SEED = int(os.environ.get("TAILRACE_TEST_SEED", "1"))
REQUESTS = int(os.environ.get("TAILRACE_TEST_REQUESTS", "200"))
ANSWER_SECONDS = 20
# Problems that say that a right request is too much, not that it is wrong.
TOO_MUCH = "urn:tailrace:problem:too-large"
SHOWN_FAILURES = 40
HISTORY = {"posts": ("20000", "20"), "trades": ("6000", "10"), "bars": ("3120", "500"), "visa": ("1000", "10")}


class Client:
    """Sends raw targets over one connection, which it makes anew where the server has closed it."""

    def __init__(self, url):
        self.address = urllib.parse.urlsplit(url).netloc
        self.connection = None

    def ask(self, method, target, body=None, headers=None):
        """(status, headers, body)"""
        for attempt in range(2):
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.address, timeout=ANSWER_SECONDS)
            try:
                self.connection.request(method, target, body, headers or {})
                answer = self.connection.getresponse()
                if answer.headers["Content-Type"].startswith("text/event-stream"):
                    content = answer.readline() + answer.readline()
                    self.close()
                else:
                    content = answer.read()
                    if answer.headers.get("Connection", "").lower() == "close":
                        self.close()
                return answer.status, answer.headers, content
            except (http.client.RemoteDisconnected, ConnectionError):
                # A connection that was kept may have been closed meanwhile; a new one may not.
                fresh = attempt > 0
                self.close()
                if fresh:
                    raise

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def no_doubles(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), f"a member occurs twice in {names}"
    return dict(pairs)


def parse(content):
    def refuse(text):
        raise AssertionError(f"{text} is no JSON number")
    return json.loads(content.decode("utf-8"), object_pairs_hook=no_doubles, parse_constant=refuse)


class Checker:
    def __init__(self, document):
        self.document, self.failures, self.statuses = document, [], collections.Counter()

    def fail(self, what, sentences):
        self.failures += [f"{what}: {sentence}" for sentence in sentences]

    def response(self, operation, status):
        return self.document.resolve(operation["responses"][str(status)]) if str(status) in operation["responses"] else None

    def answer(self, operation, target, answered):
        """What is wrong with an answer as such, and its JSON where it is JSON."""
        status, headers, content = answered
        self.statuses[status] += 1
        documented = self.response(operation, status)
        if documented is None:
            return [f"status {status} is not documented: {content[:300]!r}"], None
        if status >= 500 and status != 503:
            return [f"status {status}: {content[:300]!r}"], None
        media = headers["Content-Type"].split(";")[0]
        if media not in documented["content"]:
            return [f"{status} came as {media}, documented is {list(documented['content'])}"], None
        if not media.endswith("json"):
            return [], None
        try:
            value = parse(content)
        except (ValueError, AssertionError) as error:
            return [f"{status} is no JSON: {error}: {content[:200]!r}"], None
        found = [f"{status}: {error}" for error in self.document.errors(value, documented["content"][media]["schema"])]
        if status >= 400:
            if value.get("status") != status:
                found.append(f"the problem says {value.get('status')}, the status line {status}")
            if value.get("instance") != target.split("?")[0]:
                found.append(f"the problem is about {value.get('instance')!r}")
        return found, value


def named_by(value):
    return {error["parameter"] for error in value.get("errors", [])} if isinstance(value, dict) else set()


def check_get(checker, client, operation, parameters, path, random_source, known, now_ms):
    request = draw.Draw(random_source, checker.document, now_ms, known).request(path, parameters)
    what = f"GET {request.target}"
    try:
        answered = client.ask("GET", request.target)
    except OSError as error:
        client.close()
        return checker.fail(what, [f"no answer: {error!r}"])
    found, value = checker.answer(operation, request.target, answered)
    status, headers, content = answered
    names = {parameter["name"] for parameter in parameters}
    if not found and value is not None:
        named = named_by(value)
        # Without such a store there is nothing to compare the other parameters with.
        unknown_store = status == 404 and "{store}" in path
        if request.wrong and not unknown_store:
            if status != 400:
                found.append(f"{status}, although {sorted(request.wrong)} are wrong: {content[:200]!r}")
            elif not request.wrong <= named:
                found.append(f"only {sorted(named)} are named, {sorted(request.wrong - named)} are wrong too")
        if status == 400 and value["type"] != TOO_MUCH and not request.open and not request.wrong:
            found.append(f"nothing is wrong, but {content[:300]!r}")
        if status == 400 and not named:
            found.append("400 names no parameter")
        if status == 400 and not named <= names | request.wrong:
            found.append(f"{sorted(named - names - request.wrong)} are no parameters")
    checker.fail(what, found)
    if status == 200 and headers.get("ETag") and not found and random_source.random() < 0.1:
        status, headers, content = client.ask("GET", request.target, headers={"If-None-Match": headers["ETag"]})
        if status not in (200, 304) or (status == 304 and content):
            checker.fail(what, [f"{status} with {len(content)} bytes for its own ETag"])


def check_post(checker, client, operation, path, random_source):
    media, body, wrong, is_open = bodies.body(random_source)
    what = f"POST {path} {body[:200]!r}"
    try:
        answered = client.ask("POST", path, body, {"Content-Type": media})
    except OSError as error:
        client.close()
        return checker.fail(what, [f"no answer: {error!r}"])
    found, value = checker.answer(operation, path, answered)
    status, headers, _ = answered
    if not found:
        named = named_by(value)
        if wrong and (status != 400 or not (wrong <= named or named == {"body"})):
            found.append(f"{status} names {sorted(named)}, but {sorted(wrong)} are wrong")
        if not wrong and not is_open and status not in (200, 201):
            found.append(f"{status}, although nothing is wrong: {value}")
        if status == 201:
            again = client.ask("GET", headers["Location"])
            if again[0] != 200 or parse(again[2]).get("name") != value["name"]:
                found.append(f"Location {headers['Location']} answers {again[0]}: {again[2][:200]!r}")
    checker.fail(what, found)


def check_edges(checker, client, paths):
    """What the document says for all operations."""
    for path in paths:
        target = re.sub(r"\{\w+\}", "user", path)
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "POST"):
            if method.lower() in paths[path]:
                continue
            status, headers, content = client.ask(method, target)
            if status != 405 or "GET" not in headers.get("Allow", "") or parse(content)["status"] != 405:
                checker.fail(f"{method} {target}", [f"{status} {content[:200]!r}"])
    for target, wanted in (("/api/v1/cities?zone=" + "a" * 9_000, 414), ("/api/v1/nothing", 404), ("/api/v1/stores/a/b/c", 404)):
        status, headers, content = client.ask("GET", target)
        if status != wanted or not headers["Content-Type"].startswith("application/problem+json"):
            checker.fail(f"GET {target[:60]}", [f"{status} {content[:200]!r}"])
    for media, body, wanted in (("text/plain", b'{"kind":"user","name":"x"}', 415), ("application/json", b" " * 100_000, 413)):
        status, headers, content = client.ask("POST", "/api/v1/requests", body, {"Content-Type": media})
        if status != wanted or not headers["Content-Type"].startswith("application/problem+json"):
            checker.fail(f"POST of {len(body)} bytes of {media}", [f"{status} {content[:200]!r}"])
        client.close()


def check_copies(checker, client, other, now_ms):
    """Two gateways know the same, and their answers have the same tags. Nothing flows in any more, and the ranges are fixed."""
    span = f"from={now_ms - 7_200_000}&to={now_ms}"
    for target in (f"/api/v1/cities?{span}", f"/api/v1/cities/top?by=active_users&n=50&{span}", f"/api/v1/trends?score=count&{span}", "/api/v1/users?n=100",
                   "/api/v1/tickers/AAPL", "/api/v1/joins/sentiment", f"/api/v1/wages/top?{span}", "/api/v1/requests", "/api/v1/stores", "/api/v1/topology"):
        (status, headers, content), (_, other_headers, other_content) = client.ask("GET", target), other.ask("GET", target)
        if status != 200 or content != other_content or headers["ETag"] != other_headers["ETag"]:
            checker.fail(f"GET {target} of two copies", [f"{status}: {content[:200]!r} and {other_content[:200]!r}"])


def check_the_checker(document):
    """The document's examples fit its schemas, and do not without any of their members."""
    examples = 0
    for _, path, operation, _ in document.operations():
        for status, response in operation["responses"].items():
            for content in document.resolve(response).get("content", {}).values():
                example, described = content.get("example"), content["schema"]
                if not isinstance(example, dict):
                    continue
                assert not document.errors(example, described), (path, status, document.errors(example, described))
                examples += 1
                for member in document.resolve(described).get("required", []):
                    assert document.errors({name: value for name, value in example.items() if name != member}, described), (path, status, member)
                wrong = copy.deepcopy(example)
                wrong["surprise"] = 1
                assert document.errors(wrong, described), (path, status)
    assert examples > 20, examples
    harness.passed(f"the document's own {examples} examples fit it")


def fill(system):
    """All pipelines over records of the last minutes; the address of the gateway, and that of the workers' queries."""
    inputs = []
    for topic, (count, rate) in HISTORY.items():
        file = system.directory / f"{topic}.jsonl"
        more = ["--cashtag-rate", "0.2"] if topic == "posts" else []
        system.run("generate", topic, "--seed", str(SEED), "--count", count, "--rate", rate, *more, "--output", str(file))
        inputs += ["--input", f"{topic}={file}"]
    port, grpc, metrics = (harness.free_port() for _ in range(3))
    system.start("dev", "dev", *[str(path) for path in sorted((harness.SOURCE / "pipelines").glob("*.yaml"))], *inputs, "--listen", f"127.0.0.1:{port}",
                 "--set", f"log.embedded.dir={system.directory}/log", "--set", f"state.dir={system.directory}/state",
                 "--set", f"grpc.listen=127.0.0.1:{grpc}", "--set", f"metrics.listen=127.0.0.1:{metrics}")
    url = f"http://127.0.0.1:{port}"
    wait_until("the gateway is ready", lambda: harness.ready(url), 60)

    def complete():
        tasks = (get(f"{url}/api/v1/tasks") or {"items": []})["items"]
        read = collections.Counter()
        for task in tasks:
            for entry in task["inputs"]:
                read[task["application"], entry["topic"]] += entry["offset"] or 0
        # A hundredth may be malformed. A task that never had a record does not know its lag.
        fed = all(max((offset for (_, name), offset in read.items() if name == topic), default=0) >= int(count) * 0.99
                  for topic, (count, _) in HISTORY.items())
        return fed and all(task["lag"] in (0, None) for task in tasks) and (get(f"{url}/api/v1/joins/sentiment", n=1) or {"pairs": 0})["pairs"] > 0

    wait_until("all records are processed", complete, 120)
    return url, f"127.0.0.1:{grpc}"


def known_texts(url):
    """Texts that exist, by the parameter that may name them."""
    stores = [store["name"] for store in get(f"{url}/api/v1/stores")["items"]]
    cities, users = get(f"{url}/api/v1/cities")["items"], [item["user"] for item in get(f"{url}/api/v1/users")["items"]]
    topics = [item["topic"] for item in get(f"{url}/api/v1/trends", score="count")["items"]]
    tokens = [get(f"{url}/api/v1/stores/{store}/{rows}", page_size=1)["next_page_token"] for store, rows in (("city-metrics", "windows"), ("word-counts", "keys"))]
    return {"store": stores, "city": cities, "place": cities, "key": [*cities, *users, "en", "AAPL"], "name": users, "user": users, "symbol": ["AAPL", "BINANCE:BTCUSDT", "aapl"],
            "ticker": ["AAPL", "MSFT"], "topic": topics, "topic2": topics, "source": ["api", "web"], "group": ["staff"], "unit": ["Year", "Hour", "all"], "prefix": ["a", "T"],
            "field": ["posts", "count", "close"], "page_token": tokens}


def main():
    with harness.System() as system:
        url, workers = fill(system)
        client = Client(url)
        document = schema.Document(yaml.safe_load(client.ask("GET", "/openapi.yaml")[2]))
        check_the_checker(document)
        other = system.start_gateway([workers])
        wait_until("the second gateway is ready", lambda: harness.ready(other), 60)
        checker, known, now_ms = Checker(document), known_texts(url), int(time.time() * 1000)
        log(f"seed {SEED}, {REQUESTS} requests for each operation")
        for method, path, operation, parameters in document.operations():
            random_source, started = random.Random(f"{SEED} {method} {path}"), time.monotonic()
            before = len(checker.failures)
            # Without a parameter there is little to vary.
            for _ in range(REQUESTS if parameters or method == "POST" else REQUESTS // 10):
                if method == "POST":
                    check_post(checker, client, operation, path, random_source)
                else:
                    check_get(checker, client, operation, parameters, path, random_source, known, int(time.time() * 1000))
                system.check_alive()
            log(f"{method} {path}: {len(checker.failures) - before} complaints, {time.monotonic() - started:.1f} s")
        check_edges(checker, client, document.document["paths"])
        check_copies(checker, client, Client(other), now_ms)
        log(f"answers by status: {dict(sorted(checker.statuses.items()))}")
        for failure in checker.failures[:SHOWN_FAILURES]:
            print(f"FAILED  {failure}", flush=True)
        assert not checker.failures, f"{len(checker.failures)} answers are not what the document says (TAILRACE_TEST_SEED={SEED})"
        # A test whose requests are all refused shows nothing.
        assert checker.statuses[200] > checker.statuses.total() // 10 and checker.statuses[400] > 0, checker.statuses
        harness.passed(f"{checker.statuses.total()} answers are what the document says")
        assert system.stop("gateway") == 0
        assert system.stop("dev") == 0


main()
