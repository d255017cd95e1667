"""The programs that check what is deployed: from PATH, or fetched once into the cache that tools/build-librdkafka uses.

Each function returns a path, or raises Missing with the reason, which a test prints when it skips.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import tempfile

# Module, command and version of each Go program; kube-openapi is a module that helm itself needs, and carries a
# description of the Kubernetes API.
GO_PROGRAMS = {
    "helm": ("helm.sh/helm/v3/cmd/helm", "v3.16.4"),
    "kubeconform": ("github.com/yannh/kubeconform/cmd/kubeconform", "v0.6.7"),
    "compose-go": ("github.com/compose-spec/compose-go/v2/cmd", "v2.4.9"),
}
KUBE_OPENAPI = ("k8s.io/kube-openapi", "v0.0.0-20240228011516-70dd3763d340", "pkg/schemaconv/testdata/swagger.json")
GO_LEAST = (1, 22)


class Missing(Exception):
    pass


def cache():
    base = os.environ.get("TAILRACE_DEPS")
    if not base:
        base = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "tailrace")
    os.makedirs(base, exist_ok=True)
    return base


def go():
    program = shutil.which("go")
    if not program:
        raise Missing("there is no Go on this host")
    version = subprocess.run([program, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"go(\d+)\.(\d+)", version)
    if not found or tuple(map(int, found.groups())) < GO_LEAST:
        raise Missing(f"Go {'.'.join(map(str, GO_LEAST))} or newer is needed, here is {version.strip() or 'none'}")
    return program


def run_go(arguments, what, **environment):
    # The host may be testing other things: this is the least urgent. GOTOOLCHAIN: never another compiler from the network.
    result = subprocess.run(["nice", "-n", "19", go(), *arguments], capture_output=True, text=True, check=False,
                            cwd=cache(), env={**os.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", **environment})
    if result.returncode != 0:
        raise Missing(f"{what} cannot be fetched: {(result.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    return result.stdout


def go_program(name):
    if shutil.which(name):
        return shutil.which(name)
    module, version = GO_PROGRAMS[name]
    folder = os.path.join(cache(), f"{name}-{version}")
    program = os.path.join(folder, os.path.basename(module))
    if not os.path.exists(program):
        go()
        print(f"building {name} {version} once (a few minutes)", flush=True)
        with tempfile.TemporaryDirectory(dir=cache(), prefix=f"{name}.work.") as work:
            run_go(["install", f"{module}@{version}"], f"{name} {version}", GOBIN=work)
            os.makedirs(folder, exist_ok=True)
            os.replace(os.path.join(work, os.path.basename(module)), program)
    return program


def promtool():
    """From PATH, or unpacked (not installed) from Debian's own package."""
    if shutil.which("promtool"):
        return shutil.which("promtool")
    program = os.path.join(cache(), "prometheus", "usr", "bin", "promtool")
    if not os.path.exists(program):
        if not shutil.which("apt-get"):
            raise Missing("promtool is not installed")
        with tempfile.TemporaryDirectory(dir=cache(), prefix="prometheus.work.") as work:
            loaded = subprocess.run(["apt-get", "download", "prometheus"], cwd=work, capture_output=True, text=True, check=False)
            packages = glob.glob(os.path.join(work, "*.deb"))
            if loaded.returncode != 0 or not packages:
                raise Missing("promtool is not installed, and Debian's package prometheus cannot be downloaded")
            subprocess.run(["dpkg", "-x", packages[0], os.path.join(work, "root")], check=True)
            shutil.rmtree(os.path.join(cache(), "prometheus"), ignore_errors=True)
            os.rename(os.path.join(work, "root"), os.path.join(cache(), "prometheus"))
    return program


def kubernetes_schemas():
    """A folder with one strict JSON schema per kind, for kubeconform: unknown fields are errors."""
    module, version, path = KUBE_OPENAPI
    folder = os.path.join(cache(), f"kubernetes-schemas-{version.rsplit('-', 1)[1]}-1")
    if not os.path.isdir(folder):
        at = json.loads(run_go(["mod", "download", "-json", f"{module}@{version}"], module))["Dir"]
        with open(os.path.join(at, path), encoding="utf-8") as file:
            definitions = json.load(file)["definitions"]
        with tempfile.TemporaryDirectory(dir=cache(), prefix="schemas.work.") as work:
            os.mkdir(os.path.join(work, "new"))
            for name, definition in definitions.items():
                if "kind" not in definition.get("properties", {}):
                    continue
                for kind in definition.get("x-kubernetes-group-version-kind", []):
                    group = kind["group"].split(".")[0]
                    file_name = "-".join(filter(None, [kind["kind"].lower(), group, kind["version"].lower()])) + ".json"
                    with open(os.path.join(work, "new", file_name), "w", encoding="utf-8") as file:
                        json.dump(schema_of(name, kind, definitions), file)
            os.rename(os.path.join(work, "new"), folder)
    return folder


def schema_of(name, kind, definitions):
    needed, waiting = {}, [name]
    while waiting:
        each = waiting.pop()
        if each in needed:
            continue
        needed[each] = strict(definitions[each])
        waiting += re.findall(r'"#/definitions/([^"]+)"', json.dumps(needed[each]))
    top = needed[name] = json.loads(json.dumps(needed[name]))
    top["required"] = sorted({*top.get("required", []), "apiVersion", "kind"})
    top["properties"]["kind"]["enum"] = [kind["kind"]]
    return {"$schema": "http://json-schema.org/draft-07/schema#", "$ref": f"#/definitions/{name}", "definitions": needed}


def strict(node):
    """The OpenAPI 2 form as a JSON schema that allows no unknown field."""
    if isinstance(node, list):
        return [strict(each) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("format") == "int-or-string":
        return {"type": ["string", "integer"]}
    if "Quantity is a fixed-point representation" in node.get("description", "") and node.get("type") == "string":
        return {"type": ["string", "number"]}
    result = {key: strict(value) for key, value in node.items()
              if not key.startswith("x-") and (key != "description" or isinstance(value, dict))}
    if "properties" in result and isinstance(result["properties"], dict) and "additionalProperties" not in result:
        result["additionalProperties"] = False
    return result
