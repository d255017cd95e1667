#!/usr/bin/env python3
"""Goal: docs/capabilities.md stays true: a row for every capability, and nothing named in it that is not there.

Method: the document's rows are read as text; test names are compared with ctest's own list, paths with the files, and links
with the headings of the document that they point into. That the tests ran is what tools/test-summary says after a whole run.
"""
import json
import os
import re
import subprocess
import sys
import unittest

TOP = os.environ.get("TAILRACE_SOURCE_DIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOCUMENT = "docs/capabilities.md"
IDS = [f"F{number:02}" for first, last in ((1, 15), (20, 30), (35, 41), (45, 52), (60, 66), (70, 74), (80, 86), (90, 93), (95, 104))
       for number in range(first, last + 1)]
NOT_YET = "**Not yet:**"


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def rows_of(document):
    """The cells of each row that begins with an id: id, capability, where, shown by."""
    for line in document.splitlines():
        if re.match(r"\| F\d+ ", line):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def anchors_of(document):
    """The anchors of a document's headings, as they are linked to."""
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ +(.+)$", document, re.M)}


def is_there(name, tests, unbuilt, cases):
    """A test of that name; of a program that is not built, a case of that name in the sources."""
    program, _, case = name.partition(".")
    if program in unbuilt:
        return case.split("/")[-1] in cases
    return any(test == name or test.startswith((f"{name}/", f"{name} ")) for test in tests)


def complaints(document, tests, unbuilt, cases, exists, read_document):
    rows = list(rows_of(document))
    found = [row[0] for row in rows]
    yield from (f"{wanted} has no row" for wanted in IDS if wanted not in found)
    yield from (f"{twice} has two rows" for twice in sorted(set(found)) if found.count(twice) > 1)
    yield from (f"{unknown} is no capability" for unknown in found if unknown not in IDS)
    for row in rows:
        if len(row) != 4 or not row[1]:
            yield f"{row[0]}: a row has an id, a capability, where it is, and what shows it"
            continue
        name, _, where, shown = row
        for path in re.findall(r"`((?:[\w.-]+/)+[\w.-]+)`", where):
            if not path.startswith("/") and not exists(path):
                yield f"{name}: there is no file {path}"
        named, links = re.findall(r"`([^`]+)`", shown), re.findall(r"\]\(([\w./-]+)#([\w-]+)\)", shown)
        yield from (f"{name}: there is no test {test}" for test in named if not is_there(test, tests, unbuilt, cases))
        for target, anchor in links:
            if not exists(f"docs/{target}") or anchor not in anchors_of(read_document(f"docs/{target}")):
                yield f"{name}: docs/{target} has no section {anchor}"
        if not named and not links and NOT_YET not in where:
            yield f"{name}: nothing shows it, and it does not say '{NOT_YET}'"


class Capabilities(unittest.TestCase):
    def test_every_row_is_true(self):
        listed = subprocess.run(["ctest", "--test-dir", os.environ["TAILRACE_BINARY_DIR"], "--show-only=json-v1"], check=True,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        tests = [test["name"] for test in json.loads(listed[listed.index("{"):])["tests"]]
        unbuilt = {test.split("_NOT_BUILT")[0] for test in tests if "_NOT_BUILT" in test}
        cases = set()
        for folder, _, names in os.walk(os.path.join(TOP, "tests/unit")):
            for name in names:
                if name.endswith(".cc"):
                    cases.update(".".join(case) for case in re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)",
                                                                       read(os.path.join(folder, name)), re.M))
        found = list(complaints(read(DOCUMENT), tests, unbuilt, cases, lambda path: os.path.exists(os.path.join(TOP, path)), read))
        self.assertFalse(found, "\n" + "\n".join(found))


class SelfTest(unittest.TestCase):
    """The check does complain."""

    def check(self, replace, by):
        lines = [f"| {name} | does it | `room/file.cc` | `room_test.Suite.Case` |" for name in IDS]
        document = "\n".join(lines)
        self.assertIn(replace, document)
        return list(complaints(document.replace(replace, by, 1), ["room_test.Suite.Case", "room_test.P/Suite.Case/1  # GetParam() = 1"],
                               {"other_test"}, {"Suite.Case"}, lambda path: path == "room/file.cc" or path.startswith("docs/"), lambda _: "## All cities!\n"))

    def test_what_is_true_passes(self):
        self.assertEqual(self.check("F01", "F01"), [])
        self.assertEqual(self.check("room_test.Suite.Case", "room_test.P/Suite.Case"), [])
        self.assertEqual(self.check("room_test.Suite.Case", "other_test.Suite.Case"), [])
        self.assertEqual(self.check("`room_test.Suite.Case`", "[scale.md](scale.md#all-cities)"), [])
        self.assertEqual(self.check("`room/file.cc` | `room_test.Suite.Case`", "**Not yet:** any of it | "), [])

    def test_what_is_not_is_named(self):
        for replace, by in (("| F01 ", "| F999 "), ("| F02 ", "| F01 "), ("room/file.cc", "room/none.cc"), ("Suite.Case", "Suite.Cas"),
                            ("`room_test.Suite.Case`", "[scale.md](scale.md#no-cities)"), ("`room_test.Suite.Case`", ""),
                            ("room_test.Suite.Case", "other_test.Suite.None"), ("| does it ", "")):
            self.assertTrue(self.check(replace, by), (replace, by))


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
