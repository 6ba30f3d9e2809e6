"""The life of a release, by Helm itself: what it asks of a cluster, in which order, and what stays."""

import base64
from contextlib import contextmanager

import pytest

from api_server import serving
from matrix import COMPONENTS, SERVICES, rendered
from objects import name
from tools import CHART, NAMESPACE, RELEASE, run

TRIAL = ["--set", "trial.enabled=true"]


@pytest.fixture
def release(tmp_path):
    with serving(tmp_path) as (cluster, kubeconfig):
        yield Release(cluster, kubeconfig)


class Release:
    """Helm, and the cluster that it talks to."""

    def __init__(self, cluster, kubeconfig):
        self.cluster = cluster
        self.kubeconfig = kubeconfig

    def helm(self, command, *arguments):
        chart = [CHART] if command in ("install", "upgrade") else []
        return run("helm", command, RELEASE, *chart, "--namespace", NAMESPACE, "--kubeconfig", self.kubeconfig, *arguments)

    def succeeds(self, command, *arguments):
        answer = self.helm(command, *arguments)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    @contextmanager
    def watched(self):
        """The changes that are asked for meanwhile, but for Helm's own record of releases."""
        before, changes = len(self.cluster.changes), []
        yield changes
        changes += [change for change in self.cluster.changes[before:] if not change[2].startswith("sh.helm.release")]

    def secrets(self):
        """The texts of all Secrets."""
        kept = {}
        for thing in self.cluster.objects.values():
            if thing["kind"] == "Secret" and not thing["metadata"]["name"].startswith("sh.helm.release"):
                kept[thing["metadata"]["name"]] = {key: base64.b64decode(text).decode() for key, text in thing["data"].items()}
        return kept


def is_hook(thing):
    return any(key.startswith("helm.sh/hook") for key in thing["metadata"].get("annotations", {}))


def test_a_trial_needs_one_word(release):
    with release.watched() as changes:
        said = release.succeeds("install", *TRIAL)
    assert "helm test carillon" in said
    made = [(kind, called) for method, kind, called, _ in changes]
    assert {method for method, *_ in changes} == {"POST"}
    assert sorted(made) == sorted(name(thing) for thing in rendered("trial") if not is_hook(thing))


def test_an_upgrade_migrates_before_anything_else(release):
    release.succeeds("install", *TRIAL)
    secrets = release.secrets()
    with release.watched() as changes:
        release.succeeds("upgrade", *TRIAL, "--set", "image.tag=next")
    (method, kind, _, job), *then = changes
    assert (method, kind) == ("POST", "Job")
    containers = job["spec"]["template"]["spec"]["containers"]
    assert sorted(container["name"] for container in containers) == sorted(SERVICES)
    assert {container["image"] for container in containers} == {"carillon:next"}
    replaced = {called for method, kind, called, _ in then if kind == "Deployment"}
    assert replaced == {f"carillon-{component}" for component in COMPONENTS}
    # Nothing that was generated is another now.
    for _, kind, called, patch in then:
        if kind == "Secret":
            assert set(patch) <= {"stringData"} and patch.get("stringData", {}).items() <= secrets[called].items()
    assert {kind for _, kind, *_ in then} <= {"Job", "Secret", "Deployment"}, "of another image nothing else is changed"


def test_an_upgrade_that_can_not_migrate_changes_nothing(release):
    release.succeeds("install", *TRIAL)
    release.cluster.jobs_succeed = False
    with release.watched() as changes:
        answer = release.helm("upgrade", *TRIAL, "--set", "image.tag=next")
    assert answer.returncode != 0 and "pre-upgrade hooks failed" in answer.stderr
    assert [(method, kind) for method, kind, *_ in changes] == [("POST", "Job")]


def test_an_upgrade_generates_only_what_is_new(release):
    release.succeeds("install", *TRIAL, "--set", "trial.blobs.enabled=false")
    before = release.secrets()
    with release.watched() as changes:
        release.succeeds("upgrade", *TRIAL)
    assert ("POST", "Secret", "carillon-blobs") in [change[:3] for change in changes]
    after = release.secrets()
    assert after.pop("carillon-blobs")["secret"] and after == before


def test_helm_test_runs_the_probe(release):
    release.succeeds("install", *TRIAL)
    with release.watched() as changes:
        assert "Phase:          Succeeded" in release.succeeds("test")
    assert [change[:3] for change in changes] == [("POST", "Pod", "carillon-test")]


def test_what_was_generated_and_stored_outlives_the_release(release):
    release.succeeds("install", *TRIAL)
    before = release.secrets()
    release.succeeds("uninstall")
    left = {name(thing) for thing in release.cluster.objects.values()}
    kept = {"carillon-admin", "carillon-blobs", "carillon-nats-users", "carillon-postgres"}
    assert left == {("Secret", secret) for secret in kept} | {("PersistentVolumeClaim", "carillon-blobs")}
    # Another install takes them over.
    release.succeeds("install", *TRIAL)
    assert release.secrets() == before
