"""Every path, port, option, variable, metric, file and target that manifests, compose, units, configurations and documents name
is there."""

import pytest

import names

# What each finder has to find in a text that is wrong, so that none of them passes over everything.
FINDERS = {
    names.wrong_variables: ("CARILLON_NATS_URI=x ALLOWED_HOST=y MAX_MESSAGES_PER_SECOND=1", {"CARILLON_NATS_URI", "MAX_MESSAGES_PER_SECOND"}),
    names.wrong_flags: ("Say `--no-such-option`.\n\n    carillon probe --urls x\nExecStart=/usr/local/bin/gateway --lissen y\n",
                        {"--no-such-option", "carillon probe --urls", "gateway --lissen"}),
    names.wrong_paths: ("GET /api/nothing/ and /ws/chats/general/, location /readyzz, `/readyz`", {"/api/nothing/", "/ws/chats/general/"}),
    names.wrong_metrics: ("sum(carillon_gateway_conections) / namespace:carillon_nothing_total:rate1m",
                          {"carillon_gateway_conections", "namespace:carillon_nothing_total:rate1m"}),
    names.wrong_files: ("See [x](nothing.md) and `deploy/nothing/here.yaml`, scripts/nothing.sh.",
                        {"nothing.md", "deploy/nothing/here.yaml", "scripts/nothing.sh"}),
    names.wrong_anchors: ("[x](docs/configuration.md#nothing-of-that-name)", {"docs/configuration.md#nothing-of-that-name"}),
    names.wrong_ports: ("curl localhost:8765 or 127.0.0.1:9000", {"8765"}),
    names.wrong_targets: ("`make nothing` or `make run`", {"nothing"}),
}

# What is there, though no source of this repository says so.
EXCEPTIONS = {
    # Helm's.
    ("CHANGELOG.md", "--set"),
}


@pytest.mark.parametrize("finder", FINDERS, ids=lambda finder: finder.__name__)
def test_a_name_of_nothing_is_found(finder):
    text, expected = FINDERS[finder]
    assert finder(text, "README.md") == expected


@pytest.mark.parametrize("finder", FINDERS, ids=lambda finder: finder.__name__)
def test_every_name_is_of_something(finder):
    wrong = {path: sorted(name for name in finder(text, path) if (path, name) not in EXCEPTIONS)
             for path, text in names.texts().items()}
    assert {path: found for path, found in wrong.items() if found} == {}


def test_what_is_looked_through_is_what_is_delivered():
    """Each kind of text is among those."""
    paths = set(names.texts())
    for expected in ("README.md", "docs/configuration.md", "deploy/compose/compose.yaml", "deploy/docker/Dockerfile",
                     "deploy/nats/cluster.conf", "deploy/postgres/postgresql.conf", "deploy/prometheus/prometheus.yml"):
        assert expected in paths
