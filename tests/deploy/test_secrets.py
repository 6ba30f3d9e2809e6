"""Secrets: of the operator's, or generated once and kept."""

import re

import pytest

from matrix import COMPONENTS, PLAIN, SERVICES, TRIAL, both, rendered
from objects import find, of_kind
from tools import render

# What is generated, in a trial: Secrets, and their entries.
GENERATED = {
    "carillon-admin": ["password"],
    "carillon-blobs": ["secret"],
    "carillon-postgres": ["POSTGRES_PASSWORD"],
    "carillon-nats-users": [
        f"NATS_{name.upper().replace('-', '_')}_PASSWORD" for name in [*COMPONENTS, "system"]
    ],
}


def secret(objects, name):
    return find(objects, "Secret", name)["stringData"]


@pytest.mark.parametrize("name", GENERATED)
def test_what_is_generated_outlives_the_release(name):
    objects = rendered("trial")
    assert find(objects, "Secret", name)["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert list(secret(objects, name)) == GENERATED[name]
    for value in secret(objects, name).values():
        # NATS takes what begins with a digit for a number; nothing has to be escaped in a URL; blobs want 32 bytes.
        assert re.fullmatch("[a-z][A-Za-z0-9]{31,}", value)


def test_what_is_generated_differs():
    one, other = render(TRIAL), render(TRIAL)
    values = [value for objects in (one, other) for name in GENERATED for value in secret(objects, name).values()]
    assert len(values) == len(set(values)) == 20


def test_addresses_of_a_trial_have_the_passwords():
    objects = rendered("trial")
    users = secret(objects, "carillon-nats-users")
    for name in COMPONENTS:
        password = users[f"NATS_{name.upper().replace('-', '_')}_PASSWORD"]
        assert secret(objects, "carillon-nats")[name] == f"nats://{name}:{password}@carillon-nats:4222"
    password = secret(objects, "carillon-postgres")["POSTGRES_PASSWORD"]
    for name in SERVICES:
        assert secret(objects, "carillon-database")[name] == f"postgres://carillon:{password}@carillon-postgres:5432/carillon"


def test_secrets_by_reference_are_not_made():
    assert not of_kind(rendered("references"), "Secret")


def test_addresses_stand_in_secrets_alone():
    for thing in rendered("default"):
        if thing["kind"] != "Secret":
            assert "db.example" not in str(thing) and "nats.example" not in str(thing)


def test_a_changed_address_replaces_pods():
    def annotations(values):
        return [thing["spec"]["template"]["metadata"]["annotations"] for thing in of_kind(render(values), "Deployment")]

    moved = both(PLAIN, {"database": {"url": "postgres://elsewhere/carillon"}})
    assert all(before != after for before, after in zip(annotations(PLAIN), annotations(moved)))
    assert annotations(PLAIN) == annotations(PLAIN)
