"""Helm can't read what is outside of its chart, nor Kustomize outside of its directory: they have copies, which are the same."""

import pytest
import yaml

from matrix import rendered
from objects import find, of_kind
from tools import CHART, K8S, REPOSITORY

DEPLOY = REPOSITORY / "deploy"

COPIES = {
    CHART / "files/carillon.alerts.yml": DEPLOY / "prometheus/carillon.alerts.yml",
    CHART / "files/carillon.recording.yml": DEPLOY / "prometheus/carillon.recording.yml",
    CHART / "files/carillon.json": DEPLOY / "grafana/carillon.json",
    CHART / "files/nats/server.conf": DEPLOY / "nats/server.conf",
    CHART / "files/nats/accounts.conf": DEPLOY / "nats/accounts.conf",
    CHART / "files/nats/permissions.conf": DEPLOY / "nats/permissions.conf",
}


@pytest.mark.parametrize("copy", COPIES, ids=lambda path: path.name)
def test_a_copy_is_like_its_original(copy):
    assert copy.read_text() == COPIES[copy].read_text(), "`make docs` copies it"


def test_nothing_else_is_copied():
    assert {path for path in (CHART / "files").rglob("*") if path.is_file()} == set(COPIES)


def test_the_rules_are_those_of_prometheus():
    [rule] = of_kind(rendered("everything"), "PrometheusRule")
    groups = [group for name in ("recording", "alerts") for group in yaml.safe_load((DEPLOY / f"prometheus/carillon.{name}.yml").read_text())["groups"]]
    assert rule["spec"]["groups"] == groups


def test_the_dashboard_is_that_of_grafana():
    dashboard = find(rendered("default"), "ConfigMap", "carillon-dashboard")
    assert dashboard["data"] == {"carillon.json": (DEPLOY / "grafana/carillon.json").read_text()}


def test_jobs_are_called_as_the_rules_know_them():
    [monitor] = of_kind(rendered("everything"), "ServiceMonitor")
    [endpoint] = monitor["spec"]["endpoints"]
    job, drop = endpoint["relabelings"]
    assert (job["targetLabel"], job["replacement"]) == ("job", "carillon-$1")
    scraped = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())["scrape_configs"]
    services = {thing["metadata"]["labels"]["app.kubernetes.io/component"] for thing in of_kind(rendered("everything"), "Deployment")}
    assert {f"carillon-{name}" for name in services} == {entry["job_name"] for entry in scraped}
    # Labels of targets that metrics have with another meaning.
    assert drop == {"action": "labeldrop", "regex": "service|endpoint"}


def test_nats_is_configured_as_everywhere():
    configuration = find(rendered("trial"), "ConfigMap", "carillon-nats")["data"]
    for name in ("server.conf", "accounts.conf", "permissions.conf"):
        assert configuration[name] == (DEPLOY / f"nats/{name}").read_text()
    assert (K8S / "overlays/trial/nats.conf").read_text() == configuration["nats.conf"]
