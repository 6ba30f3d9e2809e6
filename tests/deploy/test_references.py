"""What one object says of another is so: names, labels, ports, entries."""

import pytest

from matrix import ALREADY_THERE, MATRIX, rendered
from objects import WORKLOADS, chosen, containers, find, name, of_kind, pods
from test_kustomize import PRODUCTION_SECRETS
from tools import build

SETS = {entry: lambda entry=entry: rendered(entry) for entry in MATRIX}
SETS |= {directory: lambda directory=directory: build(directory) for directory in ("overlays/trial", "overlays/production")}

every_set = pytest.mark.parametrize("entry", SETS)


def entries(thing):
    """The entries of a Secret or ConfigMap."""
    return [*thing.get("data", {}), *thing.get("stringData", {})]


def there_is(entry, objects):
    """What pods may refer to: entries by kind and name."""
    known = {name(thing): entries(thing) for thing in objects}
    return known | already_there(entry)


def already_there(entry):
    if entry == "overlays/production":
        return PRODUCTION_SECRETS
    return ALREADY_THERE


def referred(pod):
    """What a pod refers to: kind, name, and the entry or nothing."""
    for container in pod.get("initContainers", []) + pod["containers"]:
        for entry in container.get("env", []):
            source = entry.get("valueFrom", {})
            if secret := source.get("secretKeyRef"):
                yield "Secret", secret["name"], secret["key"]
        for source in container.get("envFrom", []):
            for kind, field in (("Secret", "secretRef"), ("ConfigMap", "configMapRef")):
                if field in source:
                    yield kind, source[field]["name"], None
    for volume in pod.get("volumes", []):
        if secret := volume.get("secret"):
            for item in secret.get("items", [{"key": None}]):
                yield "Secret", secret["secretName"], item["key"]
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"], None
        if "persistentVolumeClaim" in volume:
            yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"], None
    for secret in pod.get("imagePullSecrets", []):
        yield "Secret", secret["name"], None
    yield "ServiceAccount", pod.get("serviceAccountName", "default"), None


@every_set
def test_what_pods_refer_to_is_there(entry):
    objects = SETS[entry]()
    known = there_is(entry, objects) | {("ServiceAccount", "default"): []}
    for whose, (_, pod) in pods(objects).items():
        for kind, called, wanted in referred(pod):
            assert (kind, called) in known, f"{whose} refers to {kind} {called}"
            assert wanted is None or wanted in known[kind, called], f"{whose} refers to {wanted} of {kind} {called}"


@every_set
def test_everything_that_is_made_is_used(entry):
    objects = SETS[entry]()
    used = {(kind, called) for _, pod in pods(objects).values() for kind, called, _ in referred(pod)}
    for thing in of_kind(objects, "Secret", "PersistentVolumeClaim", "ServiceAccount"):
        assert name(thing) in used
    for thing in of_kind(objects, "ConfigMap"):
        assert name(thing) in used or "grafana_dashboard" in thing["metadata"]["labels"]


@every_set
def test_volumes_are_mounted_and_mounts_have_volumes(entry):
    for whose, (_, pod) in pods(SETS[entry]()).items():
        templates = []
        for thing in of_kind(SETS[entry](), "StatefulSet"):
            if name(thing) == whose:
                templates = [claim["metadata"]["name"] for claim in thing["spec"].get("volumeClaimTemplates", [])]
        volumes = [volume["name"] for volume in pod.get("volumes", [])] + templates
        mounts = [mount["name"] for container in pod["containers"] for mount in container.get("volumeMounts", [])]
        assert sorted(set(mounts)) == sorted(volumes), whose


@every_set
def test_workloads_choose_their_own_pods_and_no_others(entry):
    objects = SETS[entry]()
    for thing in of_kind(objects, "Deployment", "StatefulSet"):
        mine = [whose for whose, (labels, _) in pods(objects).items() if chosen(thing["spec"]["selector"], labels)]
        assert mine == [name(thing)]


@every_set
def test_services_lead_to_ports_of_pods(entry):
    objects = SETS[entry]()
    for service in of_kind(objects, "Service"):
        behind = [pod for labels, pod in pods(objects).values() if chosen({"matchLabels": service["spec"]["selector"]}, labels)]
        assert behind, f"nothing is behind {name(service)}"
        for pod in behind:
            ports = [port["name"] for container in pod["containers"] for port in container.get("ports", [])]
            assert {port["targetPort"] for port in service["spec"]["ports"]} <= set(ports), name(service)


@every_set
def test_probes_ask_at_ports_that_there_are(entry):
    for whose, container in containers(SETS[entry]()):
        ports = [port["name"] for port in container.get("ports", [])]
        probes = [container[field] for field in ("startupProbe", "livenessProbe", "readinessProbe") if field in container]
        for probe in probes:
            assert "httpGet" not in probe or probe["httpGet"]["port"] in ports, whose
        stays = whose[0] in ("Deployment", "StatefulSet")
        assert len(probes) == (3 if stays else 0), f"{whose} has all three probes, or ends by itself"


@every_set
def test_budgets_scalers_and_policies_are_about_something(entry):
    objects = SETS[entry]()
    for thing in of_kind(objects, "PodDisruptionBudget"):
        assert any(chosen(thing["spec"]["selector"], labels) for labels, _ in pods(objects).values()), name(thing)
    for thing in of_kind(objects, "NetworkPolicy"):
        about = [whose for whose, (labels, _) in pods(objects).items() if chosen(thing["spec"]["podSelector"], labels)]
        # Jobs of Kustomize are applied by themselves.
        assert about or entry.startswith("overlays/") and thing["metadata"]["name"] in ("carillon-migrate", "carillon-test"), name(thing)
    for thing in of_kind(objects, "HorizontalPodAutoscaler"):
        target = thing["spec"]["scaleTargetRef"]
        scaled = find(objects, target["kind"], target["name"])
        assert "replicas" not in scaled["spec"], "what scales and what is applied would quarrel about the number"
        assert all(container["resources"]["requests"]["cpu"] for container in scaled["spec"]["template"]["spec"]["containers"])


@every_set
def test_ingresses_lead_to_services(entry):
    objects = SETS[entry]()
    for thing in of_kind(objects, "Ingress"):
        for rule in thing["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                service = find(objects, "Service", backend["name"])
                assert backend["port"]["name"] in [port["name"] for port in service["spec"]["ports"]]
        for certificate in thing["spec"].get("tls", []):
            assert ("Secret", certificate["secretName"]) in already_there(entry)
            assert certificate["hosts"] == [rule["host"] for rule in thing["spec"]["rules"]]


@every_set
def test_prometheus_finds_every_service(entry):
    objects = SETS[entry]()
    for monitor in of_kind(objects, "ServiceMonitor"):
        labelled = [service for service in of_kind(objects, "Service") if chosen(monitor["spec"]["selector"], service["metadata"]["labels"])]
        watched = {service["metadata"]["labels"]["app.kubernetes.io/component"] for service in labelled}
        assert watched == {thing["metadata"]["labels"]["app.kubernetes.io/component"] for thing in of_kind(objects, "Deployment")}
        for service in labelled:
            ports = [port["name"] for port in service["spec"]["ports"]]
            assert all(endpoint["port"] in ports for endpoint in monitor["spec"]["endpoints"])


@every_set
def test_pods_have_no_more_rights_than_they_need(entry):
    for whose, (_, pod) in pods(SETS[entry]()).items():
        security = pod["securityContext"]
        assert security["runAsNonRoot"] and security["runAsUser"] == (999 if whose[1].endswith("-postgres") else 65532)
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            rights = container["securityContext"]
            assert rights == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
            assert container["resources"]["limits"]["memory"] and container["resources"]["requests"]["cpu"]


def test_workloads_are_all_kinds_that_start_pods():
    kinds = {thing["kind"] for entry in SETS for thing in SETS[entry]() if "template" in thing.get("spec", {})}
    assert kinds == set(WORKLOADS)
