"""Writes the parts of k8s/ that the Helm chart has too, and the copies that Helm and Kustomize need of files elsewhere.

Both ways of installing have one source, the chart: its objects without what only Helm wants to know. What stays written by
hand are the kustomizations, and the patches in them. `make docs` runs this; tests/deploy says if it wasn't.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
CHART = Path("deploy/helm/carillon")
HELM = REPOSITORY / "tests/deploy/.tools/bin/helm"
NAME = "carillon"

HEADER = "# Written by `make docs` out of deploy/helm/carillon. What is to be otherwise in an overlay is patched there.\n"

# Helm and Kustomize read nothing outside of their directories.
COPIES = {
    CHART / "files/carillon.alerts.yml": "deploy/prometheus/carillon.alerts.yml",
    CHART / "files/carillon.recording.yml": "deploy/prometheus/carillon.recording.yml",
    CHART / "files/carillon.json": "deploy/grafana/carillon.json",
    **{
        directory / f"{name}.conf": f"deploy/nats/{name}.conf"
        for directory in (CHART / "files/nats", Path("k8s/overlays/trial/nats"))
        for name in ("server", "accounts", "permissions")
    },
}

# Secrets that whoever installs has made.
REFERENCES = {
    "nats": {"existingSecret": "carillon-nats"},
    "database": {"existingSecret": "carillon-database"},
    "auth": {"bootstrapAdmin": {"existingSecret": "carillon-admin"}},
}
# What is the same in every overlay.
BASE = {
    **REFERENCES,
    "defaults": {"autoscaling": {"enabled": False}, "podDisruptionBudget": {"enabled": False}},
    "monitoring": {"enabled": False, "dashboard": {"enabled": False}},
}
# The values of overlays/production.
PRODUCTION = {
    **REFERENCES,
    "gateway": {"trustedProxies": ["10.0.0.0/8"]},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "hosts": ["rt.example.com"],
        "tls": {"enabled": True, "secretName": "carillon-tls"},
    },
    "monitoring": {"enabled": True, "dashboard": {"enabled": False}},
}
# Those of overlays/trial.
TRIAL = {"trial": {"enabled": True}, "monitoring": {"enabled": False, "dashboard": {"enabled": False}}}

COMPONENTS = ["gateway", "auth", "notification", "chat", "ticket-presence", "metrics"]
KINDS = ["ServiceAccount", "Deployment", "StatefulSet", "Job", "Pod", "Service", "NetworkPolicy"]


def render(values):
    """The chart's objects with these values, each with the comment above it."""
    command = [HELM, "template", NAME, REPOSITORY / CHART, "--namespace", NAME, "--values", "-"]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    answer = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, env=environment)
    if answer.returncode:
        sys.exit(answer.stderr)
    found = []
    for text in re.split(r"^---\n", answer.stdout, flags=re.MULTILINE):
        thing = yaml.safe_load(text)
        if thing:
            above = text.split("apiVersion:")[0].splitlines()
            comment = [line for line in above if line.startswith("#") and not line.startswith("# Source:")]
            found.append((plain(thing), "\n".join(comment)))
    return found


def plain(thing):
    """An object without what only Helm wants to know."""
    helms = ("helm.sh/", "app.kubernetes.io/managed-by", "app.kubernetes.io/version", "checksum/")
    metadata = [thing["metadata"]]
    if "template" in thing.get("spec", {}):
        metadata.append(thing["spec"]["template"]["metadata"])
    for part in metadata:
        for field in ("labels", "annotations"):
            if field in part:
                part[field] = {key: value for key, value in part[field].items() if not key.startswith(helms)}
                if not part[field]:
                    del part[field]
    return thing


class Readable(yaml.SafeDumper):
    """Lists stand further in than what they belong to; several lines of text stay several lines."""

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)


def text_node(dumper, text):
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Readable.add_representer(str, text_node)


def dump(objects):
    documents = []
    for thing, comment in objects:
        body = yaml.dump(thing, Dumper=Readable, sort_keys=False, width=120, allow_unicode=True)
        documents.append((comment + "\n" if comment else "") + body)
    return HEADER + "---\n" + "---\n".join(documents)


def chosen(objects, *, component=None, kinds=None):
    """The objects of a component or of some kinds, in the order of kinds."""
    order = kinds or KINDS
    found = [
        (thing, comment)
        for thing, comment in objects
        if thing["kind"] in order and component in (None, thing["metadata"]["labels"]["app.kubernetes.io/component"])
    ]
    return sorted(found, key=lambda entry: order.index(entry[0]["kind"]))


def files():
    """Every file that is written: its text, by its path."""
    written = {path: (REPOSITORY / source).read_text() for path, source in COPIES.items()}
    base, production, trial = render(BASE), render(PRODUCTION), render(TRIAL)
    manifests = {
        **{f"base/{name}.yaml": chosen(base, component=name) for name in COMPONENTS},
        "jobs/migrate/job.yaml": chosen(base, component="migrate"),
        "jobs/probe/pod.yaml": chosen(base, component="test"),
        "overlays/production/scaling.yaml": chosen(production, kinds=["HorizontalPodAutoscaler", "PodDisruptionBudget"]),
        "overlays/production/ingress.yaml": chosen(production, kinds=["Ingress"]),
        "monitoring/servicemonitor.yaml": chosen(production, kinds=["ServiceMonitor"]),
        "monitoring/prometheusrule.yaml": chosen(production, kinds=["PrometheusRule"]),
        "overlays/trial/nats.yaml": chosen(trial, component="nats"),
        "overlays/trial/postgres.yaml": chosen(trial, component="postgres"),
        "overlays/trial/volume.yaml": chosen(trial, kinds=["PersistentVolumeClaim"]),
    }
    for path, objects in manifests.items():
        written[Path("k8s") / path] = dump(objects)
    return written


def main():
    # The chart is rendered with the copies, so these come first.
    for path, source in COPIES.items():
        (REPOSITORY / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / source, REPOSITORY / path)
    for path, text in files().items():
        (REPOSITORY / path).parent.mkdir(parents=True, exist_ok=True)
        (REPOSITORY / path).write_text(text)


if __name__ == "__main__":
    main()
