#!/usr/bin/env python3
"""The files of docker/ and helm/ agree with the program and with each other.

Goal: a renamed metric, key, verb, option, file or package is noticed where it is used. Method: reads the files as text and
YAML and compares them with the sources. Without a container engine the image itself is not built; what its steps name is
looked up instead.
"""
import fnmatch
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import deployment
import tools
from deployment import load, path, read

SHARE = "/usr/local/share/tailrace/"


def joined_lines(text):
    """A Dockerfile's instructions, continued lines joined, comments left out."""
    text = re.sub(r"(?m)^\s*#.*\n", "", text)
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def verb_options():
    """{verb: its options} of the command line, as its sources declare them."""
    shared = re.findall(r'"(--[a-z-]+)', re.search(r"void AddConfigOptions\(.*?\n}", read("cli/src/main.cc"), re.S).group())
    verbs = {}
    for name in os.listdir(path("cli/src")):
        text = read("cli/src/" + name)
        found = re.search(r'app\.add_subcommand\("([a-z]+)"', text)
        if found:
            verbs[found.group(1)] = set(re.findall(r'"(?:-\w,)?(--[a-z-]+)', text)) | set(shared)
    return verbs


class Alerts(unittest.TestCase):
    def test_every_series_exists(self):
        known = deployment.metric_names() | {"kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes"}
        for group in load("helm/tailrace/files/alerts.yaml")["groups"]:
            for rule in group["rules"]:
                expression = re.sub(r"\{[^}]*\}|\"[^\"]*\"", "", rule["expr"])
                used = set(re.findall(r"\b(?:tailrace|process|kubelet)_\w+", expression))
                self.assertTrue(used, rule["alert"])
                self.assertFalse(used - known, rule["alert"])

    def test_every_alert_says_what_to_do(self):
        operations = read("docs/operations.md")
        for rule in load("helm/tailrace/files/alerts.yaml")["groups"][0]["rules"]:
            self.assertIn(f"`{rule['alert']}`", operations)
            self.assertIn(rule["labels"]["severity"], {"critical", "warning", "info"})
            self.assertTrue(rule["annotations"]["summary"] and rule["annotations"]["description"])

    def test_the_documented_metrics_are_those_of_the_sources(self):
        known = {re.sub(r"_(bucket|sum|count)$", "", name) for name in deployment.metric_names()}
        documented = set(re.findall(r"`(tailrace_[a-z_]+)[`{]", read("docs/operations.md")))
        self.assertEqual(documented, {name for name in known if name.startswith("tailrace_")})


class Values(unittest.TestCase):
    def test_schema_and_values_have_the_same_keys(self):
        schema = json.loads(read("helm/tailrace/values.schema.json"))

        def compare(node, rule, where):
            if "properties" not in rule:
                return
            if where != ["global"]:  # A chart above this one may put keys of its own there.
                self.assertIs(rule.get("additionalProperties"), False, where)
            if where[-1:] != ["resources"]:
                self.assertEqual(set(rule["properties"]), set(node), where)
            for key, value in node.items():
                compare(value, rule["properties"][key], where + [key])
        compare(load("helm/tailrace/values.yaml"), schema, [])

    def test_the_default_pipeline_is_the_products(self):
        self.assertEqual(read("helm/tailrace/files/pipelines/city-metrics.yaml"), read("pipelines/city-metrics.yaml"))

    def test_versions_agree(self):
        version = re.search(r"project\(tailrace VERSION ([\d.]+)", read("CMakeLists.txt")).group(1)
        self.assertEqual(load("helm/tailrace/Chart.yaml")["appVersion"], version)
        self.assertIn(f"ARG VERSION={version}", read("docker/Dockerfile"))
        broker = re.search(r"<kafka.version>([\d.]+)<", read("tools/kafka/pom.xml")).group(1)
        self.assertEqual(load("docker/compose.yaml")["services"]["kafka"]["image"], f"apache/kafka:{broker}")


class Compose(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.services = load("docker/compose.yaml")["services"]

    def commands(self):
        for name, service in self.services.items():
            if service["image"].startswith("tailrace"):
                yield name, service["command"]
        for name in ("worker-statefulset", "gateway", "batch"):
            text = re.search(r"args:\n(.*?)\n\s*\{\{- with \$\w+\.extraArgs", read(f"helm/tailrace/templates/{name}.yaml"), re.S).group(1)
            yield "helm " + name, re.findall(r"- ([\w./-]+)$", text, re.M)
        values = [f"helm/tailrace/ci/{name}" for name in sorted(os.listdir(path("helm/tailrace/ci")))]
        for name, found in [(name, load(name) or {}) for name in values]:
            for part, verb in (("worker", "worker"), ("gateway", "gateway"), ("batch", "run")):
                yield f"{name} {part}", [verb, *map(str, found.get(part, {}).get("extraArgs", []))]
        yield "helm test", ["query", "--target", "stores"]

    def test_verbs_and_options_exist(self):
        if not os.path.exists(path("cli/src/main.cc")):
            self.skipTest("there is no command line")
        verbs = verb_options()
        for name, command in self.commands():
            with self.subTest(service=name):
                self.assertIn(command[0], verbs)
                for word in command[1:]:
                    if word.startswith("--"):
                        self.assertIn(word, verbs[command[0]])

    def test_configuration_keys_exist(self):
        known = deployment.config_keys()
        for name, service in self.services.items():
            for variable in service.get("environment", {}):
                if variable.startswith("TAILRACE_"):
                    key = variable.removeprefix("TAILRACE_").lower().replace("_", ".")
                    self.assertTrue(deployment.is_config_key(key, known), f"{name}: {variable}")

    def test_addresses_name_services_and_their_ports(self):
        ports = {"kafka": {"9092", "9093", "29092"}, "worker-1": {"9090", "9464"}, "worker-2": {"9090", "9464"}, "gateway": {"8080"}}
        text = read("docker/compose.yaml") + read("docker/prometheus.yml")
        used = re.findall(r"(?<![/\w])(" + "|".join(self.services) + r"):(\d+)", text)
        self.assertGreater(len(used), 10)
        for service, port in used:
            self.assertIn(port, ports[service])
        for n in ("worker-1", "worker-2"):
            environment = self.services[n]["environment"]
            self.assertEqual((environment["TAILRACE_GROUP_INSTANCE_ID"], environment["TAILRACE_APPLICATION_SERVER"]), (n, n + ":9090"))
        for target in load("docker/prometheus.yml")["scrape_configs"]:
            for address in target["static_configs"][0]["targets"]:
                self.assertIn(address.split(":")[0], self.services)

    def test_mounted_files_exist_and_only_this_host_is_served(self):
        for service in self.services.values():
            for volume in service.get("volumes", []):
                if volume.startswith("."):
                    self.assertTrue(os.path.exists(path(os.path.join("docker", volume.split(":")[0]))), volume)
            for port in service.get("ports", []):
                self.assertTrue(port.startswith("127.0.0.1:"), port)


class Readme(unittest.TestCase):
    def test_the_project_of_a_user_is_the_one_that_the_consumer_test_builds(self):
        shown = re.search(r"```cmake\n(.*?)```", read("README.md"), re.S).group(1)
        self.assertEqual(shown, read("tests/consumer/project/CMakeLists.txt").replace("ten_operators", "words"))

    def test_its_files_are_made_before_they_are_read_and_options_exist(self):
        """Every file that a command reads is in the repository or written by a command above it."""
        verbs = verb_options()
        written = set()
        commands = re.findall(r"^(?:.*&& )?(tailrace .*?)(?:  +#.*)?$", read("README.md"), re.M)
        self.assertGreater(len(commands), 7)
        for command in commands:
            words = command.split()
            for word in words:
                if word.startswith("--"):
                    self.assertIn(word, verbs[words[1]], command)
            for option, value in zip(words, words[1:]):
                if option == "--output":
                    written.add(value)
                if option == "--input":
                    self.assertIn(value.split("=")[-1], written, command)
            for file in [word for word in words if word.startswith("pipelines/")]:
                self.assertTrue(os.path.exists(path(file)), command)


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = read("docker/Dockerfile")
        cls.lines = joined_lines(cls.text)

    def test_the_build_has_every_file_that_it_needs(self):
        """CMake itself says what the build reads: it plans the program in a copy that the ignore file leaves."""
        rules = [line for line in read("docker/Dockerfile.dockerignore").splitlines() if line and not line.startswith("#")]

        def is_left_out(file):  # The last rule that matches the file or a folder above it decides.
            left_out = False
            for rule in rules:
                parts = file.split("/")
                above = ["/".join(parts[:n + 1]) for n in range(len(parts))]
                if any(fnmatch.fnmatch(each, rule.removeprefix("!")) and each.count("/") == rule.count("/") for each in above):
                    left_out = not rule.startswith("!")
            return left_out
        self.assertTrue(is_left_out("docs/limits.md") and is_left_out("tests/chart/tools.py") and is_left_out("README.md"))
        self.assertFalse(is_left_out("docs/openapi.yaml") or is_left_out("base/README.md"))
        with tempfile.TemporaryDirectory() as context:
            for folder, folders, files in os.walk(deployment.TOP):
                above = os.path.relpath(folder, deployment.TOP)
                folders[:] = [each for each in folders if not is_left_out(os.path.normpath(os.path.join(above, each)))]
                for file in files:
                    name = os.path.normpath(os.path.join(above, file))
                    if not is_left_out(name):
                        os.makedirs(os.path.join(context, above), exist_ok=True)
                        shutil.copy(os.path.join(folder, file), os.path.join(context, name))
            for line in self.lines:
                words = line.split()
                if words[0] == "COPY" and not words[1].startswith("--from"):
                    for source in words[1:-1]:
                        self.assertTrue(os.path.exists(os.path.join(context, source)), source)
            for copied in re.findall(r"cp -r (\S+)", self.text):
                if copied != "dashboard/dist":  # made by the first stage
                    self.assertTrue(os.path.exists(os.path.join(context, copied)), copied)
            if not shutil.which("cmake") or not shutil.which("ninja"):
                self.skipTest("cmake or ninja is not installed; the build was not planned")
            configure = re.search(r"RUN (cmake --preset release [^&]*)&&", " ".join(self.lines)).group(1).split()
            for command in (configure, ["ninja", "-C", "build/release", "-n", "tailrace"]):
                result = subprocess.run(command, cwd=context, capture_output=True, text=True, check=False)
                self.assertEqual(result.returncode, 0, f"{' '.join(command)}: {result.stdout[-2000:]}{result.stderr[-2000:]}")

    def test_package_sections_and_tools_exist(self):
        sections = re.findall(r"tools/packages (\w+)\)", self.text)
        self.assertEqual(sections, ["build", "run"])
        for section in sections:
            self.assertIn(f"[{section}]", read("packages/debian-12.txt"))
        for tool in re.findall(r"(?<!/)\btools/[a-z-]+", self.text):
            self.assertTrue(os.access(path(tool), os.X_OK), tool)
        presets = {each["name"] for each in json.loads(read("CMakePresets.json"))["configurePresets"]}
        self.assertLessEqual(set(re.findall(r"--preset (\w+)", self.text)), presets)
        for option in re.findall(r"-D(TAILRACE_\w+)=", self.text):
            self.assertIn(f"option({option} ", read("CMakeLists.txt"))

    def test_it_runs_as_nobody_special_and_says_what_it_is(self):
        final = self.lines[max(i for i, line in enumerate(self.lines) if line.startswith("FROM")):]
        for wanted in ("USER 65532:65532", "EXPOSE 8080 9090 9464", "STOPSIGNAL SIGTERM", 'ENTRYPOINT ["/usr/local/bin/tailrace"]'):
            self.assertIn(wanted, final)
        for label in ("title", "licenses", "version", "revision"):
            self.assertIn(f"org.opencontainers.image.{label}=", " ".join(final))

    def test_the_program_finds_what_the_image_puts_beside_it(self):
        self.assertIn("/out/share/tailrace/dashboard", self.text)
        self.assertIn('"../share/tailrace/dashboard"', read("cli/src/dashboard_files.cc"))
        for used in re.findall(re.escape(SHARE) + r"pipelines/([\w.-]+)", read("docker/compose.yaml")):
            self.assertTrue(os.path.exists(path("pipelines/" + used)), used)

    def test_run_packages_exist_and_bring_every_library(self):
        if not shutil.which("apt-cache") or platform.freedesktop_os_release().get("VERSION_CODENAME") != "bookworm":
            self.skipTest("this is not Debian 12")
        packages = subprocess.run([path("tools/packages"), "run"], capture_output=True, text=True, check=True).stdout.split()
        depends = subprocess.run(["apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts",
                                  "--no-breaks", "--no-replaces", "--no-enhances", *packages],
                                 capture_output=True, text=True, check=False)
        if depends.returncode != 0:
            self.assertFalse(re.search(r"Unable to locate package (\S+)", depends.stderr) and os.listdir("/var/lib/apt/lists"), depends.stderr)
            self.skipTest("apt has no package lists here")
        brought = {line.split(":")[0] for line in depends.stdout.splitlines() if line and not line.startswith((" ", "|", "<"))}
        program = os.environ.get("TAILRACE_BIN", "")
        if not os.path.exists(program):
            self.skipTest("package names exist; the libraries were not compared, since tailrace is not built")
        listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        self.assertNotIn("not found", listed)
        missing = set()
        for library in re.findall(r"=> (/\S+)", listed):
            owner = ""
            for place in (library, os.path.realpath(library), "/usr" + library, library.removeprefix("/usr")):
                owner = owner or subprocess.run(["dpkg", "-S", place], capture_output=True, text=True, check=False).stdout.split(":")[0]
            if owner not in brought:
                missing.add(f"{library} ({owner or 'of no package'})")
        self.assertFalse(missing, "add to [run] in packages/debian-12.txt")


if __name__ == "__main__":
    try:
        deployment.yaml()
    except tools.Missing as missing:
        print(f"skipped: {missing}")
        sys.exit(77)
    unittest.main()
