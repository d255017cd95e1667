"""Goal: `tailrace export`, as a process, writes every record of a topic to files exactly once, also when it is killed.

Method: posts go into the embedded log of this machine; a following export is killed (SIGKILL) when its first files are there, three
times; then one runs to the end. What stands in the files has to be what was produced: the same posts, each once, with the offsets of each
partition in order.
"""
import collections
import gzip
import json
import signal

import harness

POSTS = 3_000
PARTITIONS = 3
KILLS = 3


def rows_below(folder):
    """partition -> rows in the order of the names of their files."""
    rows = collections.defaultdict(list)
    for file in sorted(folder.glob("posts/*/[0-9]*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            part = [json.loads(line) for line in lines]
        first, last = (int(number) for number in file.name.split(".")[0].split("-"))
        assert (part[0]["offset"], part[-1]["offset"]) == (first, last), file
        assert {row["partition"] for row in part} == {int(file.parent.name)}, file
        rows[int(file.parent.name)] += part
    return rows


def main():
    with harness.System() as system:
        log = ["--set", f"log.embedded.dir={system.directory}/log"]
        target = system.directory / "out"
        posts = system.directory / "posts.jsonl"
        system.run("generate", "posts", "--seed", "8", "--count", str(POSTS), "--malformed-rate", "0", "--output", str(posts))
        sent = collections.Counter(json.loads(line)["id"] for line in posts.read_text(encoding="utf-8").splitlines())
        system.run("topics", "create", "posts", "--partitions", str(PARTITIONS), *log)
        system.run("produce", "posts", *log, "--input", str(posts))

        export = ["export", "posts", *log, "--to", str(target), "--gzip", "--file-bytes", "4096"]
        for kill in range(KILLS):
            before = len(list(target.glob("posts/*/[0-9]*.gz")))
            system.start("export", *export, "--follow", "--file-age", "50ms")
            if kill == 0:
                harness.wait_until("the first file is there", lambda: len(list(target.glob("posts/*/[0-9]*.gz"))) > before, 60)
            assert system.stop("export", signal.SIGKILL) == -signal.SIGKILL
        _, _, said = system.run(*export)
        assert "records in" in said, said

        rows = rows_below(target)
        found = collections.Counter(row["value"]["id"] for part in rows.values() for row in part)
        assert found == sent, f"missing {sent - found}, too many {found - sent}"
        for partition, part in rows.items():
            assert [row["offset"] for row in part] == list(range(len(part))), f"partition {partition}"
        assert not list(target.glob("posts/*/.tmp-*"))
        harness.passed(f"{POSTS} posts are in files once each, after {KILLS} kills")

        code, _, said = system.run(*export[:1], "nowhere", *export[2:], check=False)
        assert code != 0 and "nowhere" in said and "topics create" in said, said
        harness.passed("an unknown topic is named, with the command that makes it")


if __name__ == "__main__":
    main()
