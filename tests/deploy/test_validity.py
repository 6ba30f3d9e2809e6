"""Each object is one that the API server takes."""

import pytest

from matrix import MATRIX, rendered
from objects import name
from tools import CHART, build, run
from validity import problem

SETS = {entry: lambda entry=entry: rendered(entry) for entry in MATRIX}
SETS |= {directory: lambda directory=directory: build(directory) for directory in ("base", "overlays/trial", "overlays/production", "monitoring", "jobs/migrate", "jobs/probe")}


@pytest.mark.parametrize("entry", SETS)
def test_every_object_is_valid(entry):
    problems = {name(thing): said for thing in SETS[entry]() if (said := problem(thing))}
    assert not problems


@pytest.mark.parametrize("entry", SETS)
def test_no_two_objects_have_one_name(entry):
    names = [name(thing) for thing in SETS[entry]()]
    assert len(names) == len(set(names))


def test_what_is_wrong_is_seen():
    [service] = [thing for thing in rendered("default") if name(thing) == ("Service", "carillon-gateway")]
    assert problem(service) is None
    assert "ports" in problem({**service, "spec": {**service["spec"], "ports": "8000"}})
    assert "extra" in problem({**service, "spec": {**service["spec"], "extra": 1}})
    assert "no name" in problem({**service, "metadata": {"name": "Gateway"}})


@pytest.mark.parametrize("values", ["trial.enabled=true", "nats.url=nats://a,database.url=postgres://b"])
def test_helm_finds_nothing_to_criticise(values):
    answer = run("helm", "lint", "--strict", CHART, "--set", values)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "[WARNING]" not in answer.stdout
