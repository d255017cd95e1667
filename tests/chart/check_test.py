#!/usr/bin/env python3
"""Runs other projects' own checkers over our files: `check_test.py alerts` promtool over the alerts and Prometheus'
configuration, `check_test.py compose` the library of docker compose over docker/compose.yaml."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import tools
from deployment import path, read


def run(*command, cwd=None):
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    print(f"{os.path.basename(command[0])}: exit code {result.returncode}\n{result.stderr}")
    if result.returncode != 0:
        print(result.stdout)
        sys.exit(1)
    return result.stdout


def alerts():
    promtool = tools.promtool()
    rules = path("helm/tailrace/files/alerts.yaml")
    print(run(promtool, "check", "rules", rules))
    with tempfile.TemporaryDirectory() as work:
        shutil.copy(rules, work)
        shutil.copy(path("tests/chart/alerts_test.yaml"), work)
        print(run(promtool, "test", "rules", "alerts_test.yaml", cwd=work))
        # The container's paths do not exist here.
        with open(os.path.join(work, "prometheus.yml"), "w", encoding="utf-8") as file:
            file.write(read("docker/prometheus.yml").replace("/etc/prometheus/", ""))
        print(run(promtool, "check", "config", "prometheus.yml", cwd=work))


def compose():
    model = json.loads(run(tools.go_program("compose-go"), "-format", "json", path("docker/compose.yaml")))
    names = sorted(model["services"])
    assert names == ["gateway", "generator", "kafka", "prometheus", "topics", "worker-1", "worker-2"], names
    # Merge keys do what they are meant to do.
    assert model["services"]["worker-1"]["environment"]["TAILRACE_BOOTSTRAP_SERVERS"] == "kafka:9092"
    assert model["services"]["worker-1"]["read_only"] is True
    assert model["services"]["worker-1"]["volumes"][0]["source"] == "worker-1"


try:
    {"alerts": alerts, "compose": compose}[sys.argv[1]]()
except tools.Missing as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
