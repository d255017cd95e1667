#!/usr/bin/env python3
"""The chart renders objects that Kubernetes accepts and that fit together.

Goal: a mistake in the chart is found here and not by a cluster. Method: `helm lint --strict`; every values file of
helm/tailrace/ci is rendered, checked by `kubeconform -strict` against a description of the Kubernetes API, and then read
back: references between objects, security settings, probes, addresses and configuration keys. Values that make no sense
must be refused. The batch's arguments are given to the program itself where it is built. kubeconform has no schemas for the operators' own kinds (ServiceMonitor, PrometheusRule, ScaledObject):
those are checked only as far as the tests below go.
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import deployment
import tools

CHART = deployment.path("helm/tailrace")
OPERATOR_KINDS = {"ServiceMonitor", "PrometheusRule", "ScaledObject"}
RELEASE, NAMESPACE = "demo", "streams"
HELM = None


def helm(*arguments):
    return subprocess.run([HELM, *arguments], capture_output=True, text=True, check=False)


def template(*arguments):
    # A helm built from source believes in a very old Kubernetes unless told otherwise.
    return helm("template", RELEASE, CHART, "--namespace", NAMESPACE, "--kube-version", "1.29.0", *arguments)


class Objects:
    """What one values file renders."""

    def __init__(self, values):
        result = template("-f", values)
        if result.returncode != 0:
            raise AssertionError(f"{values}: {result.stderr}")
        self.text = result.stdout
        self.all = [each for each in deployment.yaml().safe_load_all(self.text) if each]

    def of(self, kind):
        return [each for each in self.all if each["kind"] == kind]

    def pods(self):
        for each in self.all:
            if each["kind"] == "Pod":
                yield each["metadata"]["name"], each["metadata"]["labels"], each["spec"]
            elif each["kind"] in ("StatefulSet", "Deployment"):
                pod = each["spec"]["template"]
                yield each["metadata"]["name"], pod["metadata"]["labels"], pod["spec"]
            elif each["kind"] == "CronJob":
                pod = each["spec"]["jobTemplate"]["spec"]["template"]
                yield each["metadata"]["name"], pod["metadata"]["labels"], pod["spec"]

    def worker(self):
        return self.of("StatefulSet")[0]

    def configuration(self):
        return deployment.yaml().safe_load(self.config_map("worker")["worker.yaml"])

    def config_map(self, suffix):
        return next(each["data"] for each in self.of("ConfigMap") if each["metadata"]["name"].endswith("-" + suffix))


class Chart(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.values = sorted(glob.glob(os.path.join(CHART, "ci", "*-values.yaml")))
        cls.rendered = {os.path.basename(each).split("-", 1)[1].removesuffix("-values.yaml"): Objects(each) for each in cls.values}

    def test_lint(self):
        for values in self.values:
            result = helm("lint", "--strict", CHART, "-f", values)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_kubernetes_accepts_every_object(self):
        location = os.path.join(tools.kubernetes_schemas(), "{{.ResourceKind}}{{.KindSuffix}}.json")
        for name, objects in self.rendered.items():
            result = subprocess.run(
                [tools.go_program("kubeconform"), "-strict", "-summary", "-output", "json", "-schema-location", location,
                 "-skip", ",".join(sorted(OPERATOR_KINDS)), "-"],
                input=objects.text, capture_output=True, text=True, check=False)
            answer = json.loads(result.stdout)
            complaints = [f"{each['kind']} {each['name']}: {each['msg']}" for each in answer.get("resources") or []]
            self.assertEqual(result.returncode, 0, f"{name}: {complaints} {result.stderr}")
            skipped = [each for each in objects.all if each["kind"] in OPERATOR_KINDS]
            self.assertEqual(answer["summary"]["valid"], len(objects.all) - len(skipped), name)
            self.assertEqual(answer["summary"]["skipped"], len(skipped), name)

    def test_the_schemas_do_refuse(self):
        location = os.path.join(tools.kubernetes_schemas(), "{{.ResourceKind}}{{.KindSuffix}}.json")
        bad = self.rendered["default"].text.replace("podManagementPolicy:", "podManagmentPolicy:")
        result = subprocess.run([tools.go_program("kubeconform"), "-strict", "-schema-location", location, "-"],
                                input=bad, capture_output=True, text=True, check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("podManagmentPolicy", result.stdout + result.stderr)

    def test_pods_are_restricted(self):
        for name, objects in self.rendered.items():
            for pod, _, spec in objects.pods():
                with self.subTest(values=name, pod=pod):
                    self.assertIs(spec["automountServiceAccountToken"], False)
                    self.assertIs(spec["securityContext"]["runAsNonRoot"], True)
                    self.assertEqual(spec["securityContext"]["runAsUser"], 65532)
                    self.assertEqual(spec["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                    for container in spec["containers"]:
                        self.assertEqual(container["securityContext"], {
                            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}})
                        self.assertIn("memory", container["resources"]["limits"])

    def test_references_between_objects_hold(self):
        for name, objects in self.rendered.items():
            with self.subTest(values=name):
                maps = {each["metadata"]["name"]: each["data"] for each in objects.of("ConfigMap")}
                for pod, _, spec in objects.pods():
                    volumes = {each["name"]: each for each in spec.get("volumes", [])}
                    claims = [each["metadata"]["name"] for each in objects.worker()["spec"].get("volumeClaimTemplates", [])]
                    for container in spec["containers"]:
                        files = set()
                        for mount in container.get("volumeMounts", []):
                            self.assertIn(mount["name"], set(volumes) | set(claims), pod)
                            map_name = volumes.get(mount["name"], {}).get("configMap", {}).get("name")
                            if map_name:
                                files |= {f"{mount['mountPath']}/{key}" for key in maps[map_name]}
                        for argument in container.get("args", []):
                            if argument.startswith("/etc/tailrace/"):
                                self.assertIn(argument, files, pod)
                labels = [set(found.items()) for _, found, _ in objects.pods()]
                for each in objects.of("Service") + objects.of("PodDisruptionBudget") + objects.of("NetworkPolicy"):
                    selector = each["spec"].get("selector", each["spec"].get("podSelector"))
                    selector = set(selector.get("matchLabels", selector).items())
                    self.assertEqual(sum(selector <= found for found in labels), 1, each["metadata"]["name"])
                services = {each["metadata"]["name"]: each for each in objects.of("Service")}
                for each in objects.of("Ingress"):
                    backend = each["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
                    self.assertIn(backend["port"]["name"], [port["name"] for port in services[backend["name"]]["spec"]["ports"]])
                for each in objects.of("ServiceMonitor"):
                    wanted = set(each["spec"]["selector"]["matchLabels"].items())
                    chosen = [s for s in services.values() if wanted <= set(s["metadata"]["labels"].items())]
                    self.assertEqual(len(chosen), 1)
                    self.assertIn(each["spec"]["endpoints"][0]["port"], [port["name"] for port in chosen[0]["spec"]["ports"]])
                for each in objects.all:
                    self.assertLessEqual(len(each["metadata"]["name"]), 58)  # room for a pod's ordinal
                names = [(each["kind"], each["metadata"]["name"]) for each in objects.all]
                self.assertEqual(len(names), len(set(names)))

    def test_workers_and_gateway_find_each_other(self):
        for name, objects in self.rendered.items():
            with self.subTest(values=name):
                worker = objects.worker()
                headless = next(each for each in objects.of("Service") if each["spec"].get("clusterIP") == "None")
                self.assertEqual(worker["spec"]["serviceName"], headless["metadata"]["name"])
                self.assertIs(headless["spec"]["publishNotReadyAddresses"], True)
                domain = f"{headless['metadata']['name']}.{NAMESPACE}.svc.cluster.local:9090"
                container = worker["spec"]["template"]["spec"]["containers"][0]
                environment = {each["name"]: each.get("value") for each in container["env"]}
                self.assertEqual(environment["TAILRACE_APPLICATION_SERVER"], "$(POD_NAME)." + domain)
                self.assertEqual(environment["TAILRACE_GROUP_INSTANCE_ID"], "$(POD_NAME)")
                self.assertEqual(next(iter(environment)), "POD_NAME")  # it must stand before what uses it
                for gateway in objects.of("Deployment"):
                    arguments = gateway["spec"]["template"]["spec"]["containers"][0]["args"]
                    addresses = arguments[arguments.index("--workers") + 1].split(",")
                    addresses = [each for each in addresses if each != "replay-0.replay.streams:9090"]
                    self.assertLessEqual(len(addresses), worker["spec"].get("replicas", 1))
                    for ordinal, address in enumerate(addresses):
                        self.assertEqual(address, f"{worker['metadata']['name']}-{ordinal}.{domain}")

    def test_worker_probes_and_rollout(self):
        container = self.rendered["default"].worker()["spec"]["template"]["spec"]["containers"][0]
        self.assertEqual(container["startupProbe"]["grpc"], {"port": 9090, "service": "startup"})
        self.assertEqual(container["readinessProbe"]["grpc"], {"port": 9090, "service": "tailrace.v1.QueryService"})
        self.assertEqual(container["livenessProbe"]["grpc"], {"port": 9090, "service": ""})
        self.assertEqual(self.rendered["default"].worker()["spec"]["podManagementPolicy"], "Parallel")
        proto = deployment.read("proto/tailrace/v1/query.proto")
        self.assertRegex(proto, r"package tailrace\.v1;")
        self.assertRegex(proto, r"service QueryService \{")

        def checksum(*arguments):
            result = template(*arguments, "--show-only", "templates/worker-statefulset.yaml")
            return re.search(r"checksum/config: (\w+)", result.stdout).group(1)
        self.assertEqual(checksum(), checksum())
        self.assertNotEqual(checksum(), checksum("--set", "worker.streamThreads=2"))
        self.assertNotEqual(checksum(), checksum("--set", "pipeline=application.id: a"))

    def test_several_pipelines_run_side_by_side_and_the_gateway_asks_a_replays_workers_too(self):
        objects = self.rendered["ingress"]
        arguments = objects.worker()["spec"]["template"]["spec"]["containers"][0]["args"]
        files = [each.removeprefix("/etc/tailrace/config/") for each in arguments if each.startswith("/etc/") and "worker" not in each]
        self.assertEqual(files, ["pipeline.yaml", "returns.yaml"])
        self.assertIn("application.id: returns", objects.config_map("worker")["returns.yaml"])
        gateway = objects.of("Deployment")[0]["spec"]["template"]["spec"]["containers"][0]
        workers = gateway["args"][gateway["args"].index("--workers") + 1].split(",")
        self.assertEqual(workers[-1], "replay-0.replay.streams:9090")
        self.assertEqual(gateway["lifecycle"]["preStop"]["exec"]["command"], ["sleep", "5"])
        policies = {each["metadata"]["name"].rsplit("-", 1)[1]: each["spec"] for each in objects.of("NetworkPolicy")}
        self.assertIn({"to": [{"podSelector": {"matchLabels": {"app": "replay"}}}]}, policies["gateway"]["egress"])
        asking = policies["worker"]["ingress"][0]  # the live gateway, where these workers are a replay's
        self.assertEqual(([each["port"] for each in asking["ports"]], len(asking["from"])), (["grpc"], 2))
        self.assertEqual(asking["from"][1]["podSelector"], {"matchLabels": {"app.kubernetes.io/component": "gateway"}})
        self.assertEqual(template("--set", "applicationId=city-metrics@1").returncode, 0)
        self.assertEqual([each["port"] for each in policies["worker"]["egress"][1]["ports"]], [9092, 9093, 9094, 29092])

    def test_with_tls_every_part_has_its_files_and_a_probe_that_works(self):
        objects = self.rendered["tls"]
        files = {"ca": "/etc/tailrace/own-tls/authority.pem", "certificate": "/etc/tailrace/own-tls/tls.crt", "key": "/etc/tailrace/own-tls/tls.key"}
        grpc = {f"grpc.ssl.{each}.location": file for each, file in files.items()}
        gateway = deployment.yaml().safe_load(objects.config_map("gateway")["gateway.yaml"])
        self.assertLessEqual(grpc.items(), objects.configuration().items())
        self.assertLessEqual(grpc.items(), gateway.items())
        self.assertEqual({key: gateway[key] for key in gateway if key.startswith("gateway.ssl.")},
                         {f"gateway.ssl.{each}.location": files[each] for each in ("certificate", "key")})
        pods = {name: spec for name, _, spec in objects.pods()}
        for name, spec in pods.items():
            if name.endswith("-test-http"):
                continue  # speaks to the metrics port only
            self.assertIn({"name": "own-tls", "secret": {"secretName": "tailrace-tls"}}, spec["volumes"], name)
            mounts = [each["mountPath"] for each in spec["containers"][0]["volumeMounts"] if each["name"] == "own-tls"]
            self.assertEqual(mounts, ["/etc/tailrace/own-tls"], name)
        worker = objects.worker()["spec"]["template"]["spec"]["containers"][0]
        for probe, path in (("startupProbe", "/readyz"), ("readinessProbe", "/readyz"), ("livenessProbe", "/healthz")):
            self.assertEqual(worker[probe]["httpGet"], {"path": path, "port": "metrics"})
            self.assertNotIn("grpc", worker[probe])
        served = objects.of("Deployment")[0]["spec"]["template"]["spec"]["containers"][0]
        for probe in ("readinessProbe", "livenessProbe"):
            self.assertEqual(served[probe]["httpGet"]["scheme"], "HTTPS")
        query = next(spec for name, spec in pods.items() if name.endswith("-test-query"))["containers"][0]
        self.assertEqual({each["name"].removeprefix("TAILRACE_").lower().replace("_", "."): each["value"] for each in query["env"]}, grpc)
        schemes = {each["metadata"]["name"]: each["spec"]["endpoints"][0].get("scheme", "http") for each in objects.of("ServiceMonitor")}
        self.assertEqual(sorted(schemes.values()), ["http", "https"])
        self.assertTrue(next(name for name, scheme in schemes.items() if scheme == "https").endswith("-gateway"))
        self.assertNotIn("ssl.", self.rendered["default"].text)
        self.assertIn("appProtocol: kubernetes.io/h2c", self.rendered["default"].text)
        self.assertNotIn("appProtocol", objects.text)

    def test_configuration_keys_exist_and_are_derived(self):
        known = deployment.config_keys()
        for name, objects in self.rendered.items():
            for key in objects.configuration():
                if key != "window":  # a parameter of the pipeline
                    self.assertTrue(deployment.is_config_key(key, known), f"{name}: {key}")
            for _, _, spec in objects.pods():
                for variable in spec["containers"][0].get("env", []):
                    if variable["name"].startswith("TAILRACE_"):
                        key = variable["name"].removeprefix("TAILRACE_").lower().replace("_", ".")
                        self.assertTrue(deployment.is_config_key(key, known), variable["name"])
        default = self.rendered["default"].configuration()
        self.assertEqual(default["state.memory.bytes"], (2 << 30) * 40 // 100)
        self.assertEqual(default["session.timeout.ms"], 45_000)
        self.assertEqual(self.rendered["small"].configuration()["state.memory.bytes"], 240_000_000)
        secure = self.rendered["secure-kafka"].configuration()
        self.assertEqual(secure["commit.interval.ms"], 500)
        self.assertEqual(secure["uncommitted.bytes.max"], 134_217_728)  # not 1.34e+08
        self.assertEqual(secure["window"], "15m")
        self.assertNotIn("sasl.password", secure)

    def test_the_batch_keeps_to_its_schedule_and_never_runs_twice_at_once(self):
        objects = self.rendered["batch"]
        job = objects.of("CronJob")[0]["spec"]
        self.assertEqual((job["schedule"], job["timeZone"], job["suspend"]), ("30 2 * * 1-5", "America/Toronto", False))
        self.assertEqual(job["concurrencyPolicy"], "Forbid")
        self.assertGreaterEqual(job["startingDeadlineSeconds"], 10)  # less than the controller's own interval would start nothing
        self.assertEqual(job["jobTemplate"]["spec"]["backoffLimit"], 0)
        self.assertGreater(job["jobTemplate"]["spec"]["activeDeadlineSeconds"], 0)
        pod = job["jobTemplate"]["spec"]["template"]["spec"]
        self.assertEqual(pod["restartPolicy"], "Never")
        self.assertIn({"name": "data", "mountPath": "/data"}, pod["containers"][0]["volumeMounts"])
        for name in ("default", "secure-kafka", "autoscaled", "ingress"):
            self.assertFalse(self.rendered[name].of("CronJob"), name)
        policy = next(each["spec"] for each in objects.of("NetworkPolicy") if each["metadata"]["name"].endswith("-batch"))
        self.assertEqual((policy["policyTypes"], policy.get("ingress", [])), (["Ingress", "Egress"], []))
        self.assertEqual([port["port"] for rule in policy["egress"] for port in rule["ports"]], [53, 53, 3128])
        result = template("--set", "batch.enabled=true,batch.inputs={/data}", "--show-only", "templates/batch.yaml")
        self.assertEqual(result.returncode, 0, result.stderr)
        plain = {each["kind"]: each for each in deployment.yaml().safe_load_all(result.stdout)}
        self.assertEqual(plain["ConfigMap"]["data"]["pipeline.yaml"].strip(),
                         self.rendered["default"].config_map("worker")["pipeline.yaml"].strip())
        self.assertEqual(plain["NetworkPolicy"]["spec"]["policyTypes"], ["Ingress"])

    def test_the_program_runs_the_batch_as_the_chart_calls_it(self):
        program = os.environ.get("TAILRACE_BIN", "")
        if not os.path.exists(program):
            self.skipTest("tailrace is not built")
        objects = self.rendered["batch"]
        arguments = objects.of("CronJob")[0]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"]
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "archive"))
            with open(os.path.join(folder, "pipeline.yaml"), "w", encoding="utf-8") as file:
                file.write(objects.config_map("batch")["pipeline.yaml"])
            langs = {"archive/a.jsonl": ["en", "fr"], "archive/b.jsonl": ["en"], "today.jsonl": ["fr", "fr"]}
            for number, (name, posts) in enumerate(langs.items()):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    for line, lang in enumerate(posts):  # an hour has them all, a minute has not
                        created = f"2024-05-01T10:{10 * number + line:02}:00Z"
                        file.write(json.dumps({"id": f"{number}{line}", "created_at": created, "lang": lang}) + "\n")
            here = [each.replace("/etc/tailrace/config", folder).replace("/data", folder) for each in arguments]
            result = subprocess.run([program, *here], capture_output=True, text=True, check=False, timeout=60)
            self.assertEqual(result.returncode, 0, result.stderr)
            with open(os.path.join(folder, "nightly.jsonl"), encoding="utf-8") as file:
                rows = [json.loads(line) for line in file]
            self.assertEqual([(row["key"], row["value"]["posts"]) for row in rows], [("en", 2), ("fr", 3)])
            os.remove(os.path.join(folder, "today.jsonl"))
            self.assertNotEqual(subprocess.run([program, *here], capture_output=True, check=False, timeout=60).returncode, 0)

    def test_autoscaling_leaves_the_number_of_workers_alone(self):
        objects = self.rendered["autoscaled"]
        self.assertNotIn("replicas", objects.worker()["spec"])
        scaled = objects.of("ScaledObject")[0]["spec"]
        self.assertEqual(scaled["scaleTargetRef"]["name"], objects.worker()["metadata"]["name"])
        self.assertGreaterEqual(scaled["minReplicaCount"], 1)
        self.assertEqual([each["metadata"]["topic"] for each in scaled["triggers"]], ["posts", "2024"])
        for trigger in scaled["triggers"]:
            self.assertEqual(trigger["metadata"]["consumerGroup"], objects.configuration()["application.id"])
            self.assertEqual({type(value) for value in trigger["metadata"].values()}, {str})
        # Without applicationId the group is the one that the pipeline names, also when others run beside it.
        result = template("--set", "worker.autoscaling.enabled=true,worker.autoscaling.topics={orders}", "--set", "pipeline=application.id: orders",
                          "--set", "extraPipelines.more=application.id: more", "--show-only", "templates/worker-scaledobject.yaml")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(deployment.yaml().safe_load(result.stdout)["spec"]["triggers"][0]["metadata"]["consumerGroup"], "orders")

    def test_alerts_are_those_of_the_file(self):
        self.assertEqual(self.rendered["autoscaled"].of("PrometheusRule")[0]["spec"],
                         deployment.load("helm/tailrace/files/alerts.yaml"))

    def test_what_is_off_is_not_there(self):
        self.assertEqual({each["kind"] for each in self.rendered["small"].all}, {"ConfigMap", "Service", "StatefulSet"})
        self.assertNotIn("volumeClaimTemplates", self.rendered["small"].worker()["spec"])
        self.assertFalse(OPERATOR_KINDS & {each["kind"] for each in self.rendered["default"].all})

    def test_nonsense_is_refused_with_a_reason(self):
        for arguments, reason in [
                (["--set", "worker.replcas=3"], "replcas"),
                (["--set", "nonsense=1"], "nonsense"),
                (["--set", "worker.replicas=0"], "replicas"),
                (["--set", "worker.processingGuarantee=exactly_twice"], "processingGuarantee"),
                (["--set", "kafka.bootstrapServers=kafka"], "bootstrapServers"),
                (["--set", "kafka.securityProtocol=SASL_SSL"], "existingSecret is required"),
                (["--set", "tls.enabled=true"], "tls.existingSecret is required"),
                (["--set", "worker.autoscaling.enabled=true"], "topics is required"),
                (["--set", "worker.autoscaling.enabled=true", "--set", "worker.autoscaling.topics={posts}", "--set", "pipeline=steps: []"],
                 "applicationId is required"),
                (["--set", "applicationId=a", "--set", "extraPipelines.b=application.id: b"], "applicationId must be empty"),
                (["--set", "applicationId=a@b"], "applicationId"),
                (["--set", "gateway.preStopSeconds=30"], "gateway.preStopSeconds must be less"),
                (["--set", "gateway.ingress.enabled=true"], "host is required"),
                (["--set", "extraPipelines.worker=x"], "the name worker is taken"),
                (["--set", "gateway.extraWorkers={replay}"], "extraWorkers"),
                (["--set", "batch.enabled=true"], "batch.inputs is required"),
                (["--set", "batch.enabled=true,batch.inputs={-}"], "inputs"),  # a pod has no standard input
                (["--set", "batch.schedule=nightly"], "schedule"),
                (["--set", r"worker.config.state\.dir=/x"], "state.dir is set by the chart"),
                (["--set", "worker.resources.limits.memory=2Q"], "memory"),
                (["--kube-version", "1.24.0"], "kubeVersion")]:
            with self.subTest(arguments=arguments):
                result = template(*arguments)
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(reason, result.stderr)


if __name__ == "__main__":
    try:
        deployment.yaml()
        HELM = tools.go_program("helm")
        tools.go_program("kubeconform")
        tools.kubernetes_schemas()
    except tools.Missing as missing:
        print(f"skipped: {missing}; the chart was not rendered")
        sys.exit(77)
    unittest.main()
