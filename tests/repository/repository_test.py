#!/usr/bin/env python3
"""Keeps what a reader of this repository relies on and a compiler does not see.

Goal: includes point only the agreed way, libraries stay in their rooms, time and chance come through their seams, and the
README's commands exist. Method: reads the sources as text. Every check is a function from files to complaints, so that
SelfTest can show that it does complain.
"""
import json
import os
import re
import unittest

TOP = os.environ.get("TAILRACE_SOURCE_DIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# A room may include itself and these.
ARROWS = {
    "base": set(),
    "proto": set(),
    "kafka": {"base"},
    "state": {"base", "kafka"},
    "processor": {"base", "kafka", "state"},
    "pipeline": {"base", "kafka", "state", "processor", "proto"},
    "ingest": {"base", "kafka", "pipeline"},
    "grpc_api": {"base", "kafka", "state", "processor", "pipeline", "proto"},
    "cli": {"base", "kafka", "state", "processor", "pipeline", "ingest", "grpc_api", "proto"},
}
ROOMS = sorted(ARROWS)

# Header prefixes of a library -> the folders that may include it.
HOMES = {
    r"librdkafka/": ["kafka/src/"],
    r"rocksdb/": ["state/src/", "kafka/src/embedded/"],
    r"grpc(pp|\+\+)?/": ["grpc_api/src/"],
    r"boost/(asio|beast)": ["grpc_api/src/", "ingest/src/http/", "cli/src/"],
    r"prometheus/": ["base/src/"],
    r"spdlog/": ["base/src/"],
    r"CLI/": ["cli/src/"],
    r"curl/": ["pipeline/src/input/", "ingest/src/http/"],
    # Gzip of what is read and exported, and the checksum of what is spilled.
    r"zlib\.h": ["pipeline/src/input/", "ingest/src/export/", "ingest/src/spill/"],
}
# Types that no public header shows.
HIDDEN = r"curl/|zlib\.h|librdkafka/|rocksdb/|grpc(pp|\+\+)?/|google/protobuf/|prometheus/|spdlog/|yaml-cpp/|boost/(asio|beast)|.*\.pb\.h"

CLOCKS = r"(system_clock|steady_clock|high_resolution_clock)::now|\bgettimeofday\(|\bclock_gettime\(|\btime\((nullptr|NULL|0)\)|absl::Now\("
SLEEPS = r"\bsleep_(for|until)\(|\busleep\(|\bnanosleep\(|(?<![\w.])sleep\(|absl::SleepFor\("
CHANCE = r"\brandom_device\b|\bmt19937|\bdefault_random_engine\b|(?<![\w.])s?rand\(|absl::(BitGen|Uniform)\b"
# The seams themselves, each with its reason.
SEAMS = {
    "base/src/clock.cc": "the process's clock and its source of seeds",
}
PRINTS = r"std::(cout|cerr|clog)\b|(?<![\w.])(printf|puts|putchar)\(|\bfprintf\((stdout|stderr)"
PRINTERS = {
    "base/src/check.cc": "a broken invariant is the last thing a process says",
}


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def walk(folder, endings):
    for base, folders, names in os.walk(os.path.join(TOP, folder)):
        folders[:] = sorted(f for f in folders if f not in ("build", "node_modules", "dist"))
        for name in sorted(names):
            if name.endswith(endings):
                yield os.path.relpath(os.path.join(base, name), TOP)


def room_sources():
    """{path: text} of the C++ files of every room."""
    return {path: read(path) for room in ROOMS for path in walk(room, (".h", ".cc"))}


def without_comments(text):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    return re.sub(r"(?m)(^|\s)//.*$", "", text)


def includes(text):
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*["<]([^">]+)[">]', line)
        if found:
            yield number, found.group(1)


def lines_matching(files, pattern, allowed):
    for path, text in files.items():
        if path in allowed:
            continue
        for number, line in enumerate(without_comments(text).splitlines(), 1):
            if re.search(pattern, line):
                yield f"{path}:{number}: {line.strip()}"


def wrong_arrows(files):
    for path, text in files.items():
        room = path.split("/")[0]
        for number, header in includes(text):
            parts = header.split("/")
            if ".." in parts:
                yield f"{path}:{number}: includes {header}; name the header from its include folder"
            if parts[0] != "tailrace" or len(parts) < 3:
                continue
            target = "proto" if parts[1] == "v1" else parts[1]
            if target != room and target not in ARROWS[room]:
                yield f"{path}:{number}: {room} may not include {target} ({header})"


def libraries_away_from_home(files):
    for path, text in files.items():
        for number, header in includes(text):
            for library, homes in HOMES.items():
                if re.match(library, header) and not any(path.startswith(home) for home in homes):
                    yield f"{path}:{number}: {header} belongs in {' or '.join(homes)} only"


def shown_types(files):
    for path, text in files.items():
        if "/include/" not in path:
            continue
        for number, header in includes(text):
            if re.match(HIDDEN, header):
                yield f"{path}:{number}: a public header may not include {header}"


def outside_the_seams(files):
    yield from lines_matching(files, f"{CLOCKS}|{SLEEPS}|{CHANCE}", SEAMS)


def prints_in_libraries(files):
    yield from lines_matching({p: t for p, t in files.items() if not p.startswith("cli/")}, PRINTS, PRINTERS)


def shell_commands(markdown):
    """The commands of fenced sh, bash and console blocks, with continued lines joined."""
    for block in re.findall(r"```(?:sh|bash|console|shell)\n(.*?)```", markdown, flags=re.S):
        for line in block.replace("\\\n", " ").splitlines():
            line = re.sub(r"^\s*\$\s+", "", line)
            line = re.sub(r"(^|\s)#.*$", "", line).strip()
            if line:
                yield line


def missing_commands(markdown, run_text, presets, cli_verbs, exists):
    verbs = set(re.findall(r"^  ([a-z]+)(?: \|[^)]*)?\)", run_text, flags=re.M))
    for command in shell_commands(markdown):
        words = re.sub(r"^(sudo |time |[A-Z_]+=\S+ )+", "", command).split()
        program = words[0]
        if program.endswith("./run") or program == "run":
            if len(words) > 1 and words[1] not in verbs:
                yield f"`{command}`: ./run has no verb {words[1]}"
        elif os.path.basename(program) == "tailrace":
            if cli_verbs and len(words) > 1 and not words[1].startswith("-") and words[1] not in cli_verbs:
                yield f"`{command}`: tailrace has no verb {words[1]}"
        elif "/" in program and not program.startswith(("/", "build/", "./build/")) and not exists(program):
            yield f"`{command}`: {program} does not exist"
        if program == "cmake" and "--preset" in words and words[words.index("--preset") + 1] not in presets:
            yield f"`{command}`: no such preset"
        for word in words[1:]:
            if re.match(r"(pipelines|examples|helm|docker|docs|tools|proto)/[\w./-]+$", word) and not exists(word):
                yield f"`{command}`: {word} does not exist"


def missing_tests(document, tests):
    """Tests that a document names as `Suite.Name` and that are not among the sources `tests`."""
    there = {f"{suite}.{name}" for source in tests for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", source, re.M)}
    for named in re.findall(r"`([A-Z]\w*\.[A-Z]\w*)`", document):
        if named not in there:
            yield f"{named} is no test"


class Repository(unittest.TestCase):
    def expect_none(self, complaints):
        complaints = list(complaints)
        self.assertFalse(complaints, "\n" + "\n".join(complaints))

    def test_includes_point_one_way(self):
        self.expect_none(wrong_arrows(room_sources()))

    def test_libraries_stay_in_their_rooms(self):
        self.expect_none(libraries_away_from_home(room_sources()))

    def test_public_headers_show_no_foreign_types(self):
        self.expect_none(shown_types(room_sources()))

    def test_time_sleep_and_chance_come_through_their_seams(self):
        self.expect_none(outside_the_seams(room_sources()))

    def test_libraries_do_not_print(self):
        self.expect_none(prints_in_libraries(room_sources()))

    def test_every_room_explains_itself(self):
        present = [room for room in ROOMS if os.path.exists(os.path.join(TOP, room, "CMakeLists.txt"))]
        self.assertTrue(present)
        self.expect_none(f"{room}/README.md is missing" for room in present if not os.path.exists(os.path.join(TOP, room, "README.md")))

    def test_every_readme_command_exists(self):
        if not os.path.exists(os.path.join(TOP, "README.md")):
            self.skipTest("there is no README.md")
        presets = {p["name"] for p in json.loads(read("CMakePresets.json"))["configurePresets"]}
        cli_verbs = set()
        if os.path.exists(os.path.join(TOP, "cli")):
            cli_verbs = set(re.findall(r'add_subcommand\(\s*"([a-z]+)"', "".join(read(p) for p in walk("cli", (".cc",)))))
        for document in ["README.md", "CONTRIBUTING.md"]:
            if os.path.exists(os.path.join(TOP, document)):
                self.expect_none(f"{document}: {c}" for c in missing_commands(
                    read(document), read("run"), presets, cli_verbs, lambda p: os.path.exists(os.path.join(TOP, p))))

    def test_every_rule_has_its_test(self):
        self.expect_none(missing_tests(read("tests/unit/semantics.md"), [read(p) for p in walk("tests/unit", (".cc",))]))

    def test_package_list_sections_are_well_formed(self):
        section, seen = None, {}
        for number, line in enumerate(read("packages/debian-12.txt").splitlines(), 1):
            if re.fullmatch(r"\[[a-z]+\]", line):
                section = line
            elif line and not line.startswith("#"):
                self.assertRegex(line, r"^[a-z0-9][a-z0-9+.-]+$", f"packages/debian-12.txt:{number}")
                self.assertIsNotNone(section, f"packages/debian-12.txt:{number} stands before any section")
                self.assertNotIn((section, line), seen, f"packages/debian-12.txt:{number} is there twice")
                seen[(section, line)] = number


class SelfTest(unittest.TestCase):
    """The checks do complain."""

    def test_the_checks_find_what_they_look_for(self):
        bad = {
            "kafka/include/tailrace/kafka/a.h": '#include <librdkafka/rdkafka.h>\n#include "tailrace/state/store.h"\n',
            "state/src/b.cc": '#include "../../kafka/src/x.h"\nauto t = std::chrono::system_clock::now();\nstd::cout << 1;\n',
            "processor/src/c.cc": "#include <rocksdb/db.h>\nstd::this_thread::sleep_for(x);\nstd::random_device d;\n",
        }
        self.assertEqual(len(list(wrong_arrows(bad))), 2)
        self.assertEqual(len(list(libraries_away_from_home(bad))), 2)
        self.assertEqual(len(list(shown_types(bad))), 1)
        self.assertEqual(len(list(outside_the_seams(bad))), 3)
        self.assertEqual(len(list(prints_in_libraries(bad))), 1)

    def test_comments_and_allowed_arrows_are_left_alone(self):
        good = {"processor/src/c.cc": '#include "tailrace/state/store.h"\n// std::cout and sleep_for(1) are not used here.\n'}
        self.assertFalse(list(wrong_arrows(good)) + list(outside_the_seams(good)) + list(prints_in_libraries(good)))

    def test_readme_commands(self):
        readme = "```sh\n$ ./run fly\n./run test unit  # fine\ncmake --preset nope\ntools/none --x\ntailrace sing pipelines/none.yaml\n```\n"
        complaints = list(missing_commands(readme, "case $verb in\n  test) x ;;\n  help | -h) y ;;\nesac", {"dev"}, {"run"}, lambda p: False))
        self.assertEqual(len(complaints), 5, complaints)

    def test_tests_of_rules(self):
        document = "| a rule | `Rules.AreKept`, `Rules.AreBroken` |"
        self.assertEqual(list(missing_tests(document, ["TEST_P(Rules, AreKept) {"])), ["Rules.AreBroken is no test"])


if __name__ == "__main__":
    unittest.main()
