"""What the manifests start works: as `helm install` and `kubectl apply` would start it, as `helm test` asks it, and as a pod is stopped."""

import json
import subprocess

import pytest

from authority import Authority
from matrix import COMPONENTS, SERVICES, TRIAL, both
from pods import Namespace
from processes import carillon, supervised
from tools import build, render

# The same with the limits of production, and without files.
PRODUCTION = both(TRIAL, {"gateway": {"mode": "production", "drainSeconds": 2}, "trial": {"blobs": {"enabled": False}}})

# The gateway's certificate is of an authority that nobody else knows.
TLS = both(PRODUCTION, {"gateway": {"tls": {"existingSecret": "my-certificate"}}, "test": {"caSecret": "my-ca"}})

WAYS = {
    "Helm's trial": lambda: render(TRIAL),
    "Helm's trial with the demo": lambda: render(both(TRIAL, {"auth": {"demo": True}})),
    "Helm's trial with the limits of production": lambda: render(PRODUCTION),
    "Helm's trial with TLS in the gateway": lambda: render(TLS),
    "Kustomize's trial": lambda: build("overlays/trial") + build("jobs/migrate") + build("jobs/probe"),
}


WITHOUT_FILES = ("Helm's trial with the limits of production", "Helm's trial with TLS in the gateway")


@pytest.fixture(scope="module", params=WAYS)
def namespace(request):
    """Everything of one way, running."""
    with supervised() as supervisor:
        namespace = Namespace(WAYS[request.param](), supervisor)
        namespace.way = request.param
        certify(namespace)
        if namespace.way == "Helm's trial":
            # Nobody waits for anybody: services find NATS and Postgres when they come.
            namespace.start_deployments()
        namespace.start_nats()
        namespace.start_postgres()
        if not namespace.started:
            migrate(namespace)
            namespace.start_deployments()
        namespace.await_deployments()
        yield namespace


def certify(namespace):
    """Makes the Secrets that an operator makes for TLS."""
    authority = Authority(namespace.directory / "authority")
    issued = authority.issue(namespace.directory / "certificate", namespace.hosts["carillon-gateway"])
    for secret, files in {"my-certificate": ["tls.crt", "tls.key"], "my-ca": ["ca.crt"]}.items():
        entries = {file: (issued / file).read_text() for file in files}
        namespace.objects.append({"kind": "Secret", "metadata": {"name": secret}, "stringData": entries})


def migrate(namespace):
    """The first step of an upgrade: here there is nothing yet, and so everything to do."""
    for service in SERVICES:
        answer = namespace.run("Job", "carillon-migrate", service)
        assert answer.returncode == 0 and f"{service}: taken: " in answer.stdout, answer.stdout + answer.stderr


def test_every_pod_becomes_ready(namespace):
    assert {f"carillon-{name}" for name in COMPONENTS} <= set(namespace.supervisor.processes)
    for name in COMPONENTS:
        # No service lacks a right in NATS, whatever it has done so far.
        assert "Permissions Violation" not in namespace.supervisor.log(f"carillon-{name}")


def test_the_probe_passes(namespace):
    answer = namespace.run("Pod", "carillon-test")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert " 0 failed" in answer.stdout
    if namespace.way == "Helm's trial with the demo":
        # Everything but what is for admins, and a conversation: the demo's users have begun none.
        skipped = {line.split()[0] for line in answer.stdout.splitlines() if line.split()[2:3] == ["skipped"]}
        assert skipped == {"conversation", "system-health"}, answer.stdout
    if "--endpoints" in str(namespace.pod("Pod", "carillon-test")):
        assert "5 ok, 0 failed, 0 skipped" in answer.stdout


def test_migrations_have_nothing_left_to_do(namespace):
    for service in SERVICES:
        answer = namespace.run("Job", "carillon-migrate", service)
        assert (answer.returncode, answer.stdout) == (0, f"{service}: nothing to do\n")


def test_files_pass_where_there_is_a_volume(namespace):
    told = namespace.environment(namespace.pod("Deployment", "carillon-gateway")["containers"][0], None)
    if namespace.way in WITHOUT_FILES:
        assert "CARILLON_BLOB_STORE" not in told
        return
    answer = subprocess.run([carillon("carillon"), "check", "--json"], env=told, capture_output=True, text=True, timeout=60)
    rows = {row["check"]: row["status"] for row in json.loads(answer.stdout)["checks"] if row["group"] == "files"}
    assert rows["store"] == "ok"


def test_pods_stop_within_their_grace_period(namespace):
    """The last test of a namespace: clients first, then what they stand on."""
    for name in COMPONENTS:
        assert namespace.stop(f"carillon-{name}") == 0, namespace.supervisor.log(f"carillon-{name}")[-2000:]
