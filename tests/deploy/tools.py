"""Helm and Kustomize, as scripts/setup-deploy.sh has built them."""

import json
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
CHART = REPOSITORY / "deploy/helm/carillon"
K8S = REPOSITORY / "k8s"
BINARIES = Path(__file__).parent / ".tools/bin"

# The namespace into which everything is rendered, and the release.
NAMESPACE = "carillon"
RELEASE = "carillon"


class Refused(Exception):
    """What Helm said when it refused values."""


def run(tool, *arguments):
    """Runs a tool to its end: its code, and what it said."""
    # Neither a cluster nor plug-ins of whoever runs the tests count.
    environment = {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir()}
    command = [str(BINARIES / tool), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)


def template(values, *arguments, release=RELEASE):
    """Renders the chart, and returns Helm's answer as it is."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(values, file)
        file.flush()
        return run("helm", "template", release, CHART, "--namespace", NAMESPACE, "--values", file.name, *arguments)


def render(values, *arguments, release=RELEASE):
    """The objects that the chart yields with these values."""
    answer = template(values, *arguments, release=release)
    if answer.returncode:
        raise Refused(answer.stderr)
    return documents(answer.stdout)


@cache
def build(directory):
    """The objects that Kustomize yields of a directory below k8s/."""
    answer = run("kustomize", "build", K8S / directory)
    assert answer.returncode == 0, answer.stderr
    return documents(answer.stdout)


def documents(text):
    """The objects of a stream of YAML."""
    return [document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document]
