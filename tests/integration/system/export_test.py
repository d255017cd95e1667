"""Goal: `tailrace export` as a process writes every record of a topic once, and a second run goes on where the first one ended.

Method: made-up posts go to a file and from there into the embedded log; the lines of that file are the truth with which the rows
of the exported files are compared. The files' names are checked against the offsets in their rows.
"""
import gzip
import json
import signal

import harness


def read_export(folder):
    """Row by row; checks that names say what is in the files, and that nothing half written is left."""
    rows, following = [], {}
    for file in sorted(folder.rglob("*")):
        if file.is_dir() or file.name == ".lock":
            continue
        assert file.name.endswith(".jsonl.gz"), file
        lines = [json.loads(line) for line in gzip.decompress(file.read_bytes()).decode().splitlines()]
        first, last = (int(part) for part in file.name.removesuffix(".jsonl.gz").split("-"))
        assert [row["offset"] for row in lines] == list(range(first, last + 1)), file
        partition = int(file.parent.name)
        assert {row["partition"] for row in lines} == {partition}, file
        assert first == following.get(partition, 0), f"{file} begins where the file before it ended"
        following[partition] = last + 1
        rows += lines
    return rows


def check(rows, truth):
    ids = [row["value"]["id"] for row in rows]
    assert len(ids) == len(set(ids)) == len(truth), (len(ids), len(set(ids)), len(truth))
    for row in rows:
        assert row["value"] == truth[row["value"]["id"]], row
        assert row["timestamp"] == row["value"]["created_at"], row


def main():
    with harness.System() as system:
        log = ["--set", f"log.embedded.dir={system.directory}/log"]
        target = system.directory / "out"
        export = ["export", "posts", *log, "--to", str(target), "--gzip", "--file-bytes", "8KiB"]
        truth = {}

        def produce(seed, count):
            file = system.directory / f"posts-{seed}.jsonl"
            system.run("generate", "posts", "--seed", str(seed), "--count", str(count), "--malformed-rate", "0", "--output", str(file))
            system.run("produce", "posts", "--input", str(file), *log)
            posts = [json.loads(line) for line in file.read_text().splitlines()]
            assert len(posts) == count
            truth.update((post["id"], post) for post in posts)

        system.run("topics", "create", "posts", "--partitions", "3", *log)
        produce(5, 1500)
        _, _, said = system.run(*export)
        assert said.splitlines()[-1].startswith("1500 records in "), said
        check(read_export(target), truth)
        before = {file: file.stat().st_mtime_ns for file in target.rglob("*.gz")}
        assert 3 < len(before) < 150, "files are finished at their size, not earlier"
        harness.passed(f"{len(truth)} records in {len(before)} files")

        produce(6, 700)
        _, _, said = system.run(*export)
        assert said.splitlines()[-1].startswith("700 records in "), said
        check(read_export(target), truth)
        assert all(file.stat().st_mtime_ns == time for file, time in before.items()), "finished files stay as they are"
        harness.passed("the second run goes on where the first one ended")

        # One that follows is killed with files in the making; the next run has the rest.
        produce(7, 900)
        system.start("follow", *export, "--follow")
        harness.wait_until("a file of the third part", lambda: len(list(target.rglob("*.gz"))) > len(before) + 3, 60)
        system.stop("follow", signal.SIGKILL)
        system.run(*export)
        check(read_export(target), truth)
        harness.passed("a killed export loses and doubles nothing")

        code, _, said = system.run("export", "nowhere", *log, "--to", str(target), check=False)
        assert code == 1 and "topic nowhere does not exist" in said, (code, said)
        code, _, said = system.run("export", "posts", "--to", str(target), check=False)
        assert code == 2 and "--bootstrap" in said, (code, said)
        harness.passed("what cannot be exported is said")


main()
