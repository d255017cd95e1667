"""What the tests of this folder read: the repository's files, and the names that the program knows."""
import os
import re

import tools

TOP = os.environ.get("TAILRACE_SOURCE_DIR") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOMS = ("base", "kafka", "state", "processor", "pipeline", "ingest", "grpc_api", "cli")


def path(name):
    return os.path.join(TOP, name)


def read(name):
    with open(path(name), encoding="utf-8") as file:
        return file.read()


def yaml():
    try:
        import yaml as module
    except ImportError as error:
        raise tools.Missing("Python's yaml module is not installed (Debian package python3-yaml)") from error
    return module


def load(name):
    return yaml().safe_load(read(name))


def config_keys():
    """Keys of the table in base/src/config_keys.cc."""
    found = re.findall(r'\b(?:Text|Flag|Choice|Number)\(\s*"([a-z][a-z0-9.]+)"', read("base/src/config_keys.cc"))
    assert len(found) > 30, found
    return set(found)


def is_config_key(key, known):
    table = re.search(r"kPassThrough\[\] = \{(.*?)\}", read("base/src/config_keys.cc"), flags=re.S).group(1)
    return key in known or any(key.startswith(prefix) and key != prefix for prefix in re.findall(r'"([a-z.]+)"', table))


def metric_names():
    """Every series that the sources can make."""
    names = set()
    for room in ROOMS:
        for folder, _, files in os.walk(path(room)):
            for file in files:
                if not file.endswith((".cc", ".h")):
                    continue
                text = read(os.path.join(folder, file))
                names.update(re.findall(r'(?:GetCounter|GetGauge|Counter|Gauge)\(\s*"((?:tailrace|process)_[a-z_]+)"', text))
                for histogram in re.findall(r'GetHistogram\(\s*"(tailrace_[a-z_]+)"', text):
                    names.update(histogram + end for end in ("_bucket", "_sum", "_count"))
                # RequestMetrics(registry, "<prefix>", ...): see grpc_api/src/common/request_metrics.cc.
                for prefix in re.findall(r'metrics_?\([^;{]*?"(tailrace_[a-z_]+)",\s*"[a-z]+",', text):
                    names.update(prefix + end for end in ("_in_flight", "_requests_total"))
                    names.update(prefix + "_duration_seconds" + end for end in ("_bucket", "_sum", "_count"))
    return names
