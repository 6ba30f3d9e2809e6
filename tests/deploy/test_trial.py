"""deploy/compose: what it says, and what it starts, run as processes (S3-06)."""

import json
import os
import re
import subprocess
import urllib.request
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

import composed
from composed import COMPOSE, Trial
from processes import REPOSITORY, carillon, supervised, wait

# So many connections may one address have here.
LIMIT = 4

# The demo's users, and what everyone knows.
PASSWORD = "carillon"


@pytest.fixture(scope="module")
def trial():
    """The trial, running; its edge network is a part of this machine's loopback."""
    with supervised() as supervisor:
        trial = Trial(supervisor, {"CARILLON_EDGE": "127.30.241", "MAX_CONNECTIONS_PER_IP": str(LIMIT)})
        trial.start()
        yield trial


# ---- what the file says -------------------------------------------------------------------------------------------------


def test_docker_compose_accepts_it():
    assert composed.config({}, "--quiet").returncode == 0


def test_docker_compose_would_refuse_a_wrong_one(tmp_path):
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(COMPOSE.read_text().replace("stop_grace_period:", "stop_grace_time:"))
    answer = subprocess.run([composed.TOOL, "--file", wrong, "config", "--quiet"], capture_output=True, text=True)
    assert answer.returncode != 0 and "stop_grace_time" in answer.stderr


def test_it_is_on_the_ports_of_document_3_and_for_this_machine_alone():
    published = {
        (name, port["target"]): (port["published"], port["host_ip"])
        for name, service in composed.resolved()["services"].items()
        for port in service.get("ports", [])
    }
    assert published[("nginx", 80)] == ("80", "127.0.0.1")
    assert published[("nginx", 8000)] == ("8000", "127.0.0.1")
    assert published[("postgres", 5432)] == ("5432", "127.0.0.1")
    assert {address for _, address in published.values()} == {"127.0.0.1"}


def test_every_service_of_carillon_runs_without_rights_and_has_time_to_stop():
    services = composed.resolved()["services"]
    ours = {name: service for name, service in services.items() if "build" in service}
    assert sorted({service["command"][0] for service in ours.values()}) == sorted(
        ["gateway", "auth", "notification", "chat", "ticket-presence", "metrics"]
    )
    for service in ours.values():
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["restart"] == "unless-stopped"
        drain = int(service["environment"].get("CARILLON_DRAIN_SECONDS", 0))
        assert seconds(service["stop_grace_period"]) >= drain + 15
    for name, service in services.items():
        assert "restart" in service and service.get("logging"), name
        if name not in ours and name != "secrets":
            assert service.get("healthcheck"), name


def seconds(duration):
    minutes, rest = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", duration).groups()
    return int(minutes or 0) * 60 + int(rest or 0)


def test_no_secret_stands_in_the_file():
    for service in composed.resolved()["services"].values():
        for name, value in (service.get("environment") or {}).items():
            secret = re.search(r"PASSWORD|SECRET", name) and not name.endswith("_FILE")
            assert not secret, name
            assert not re.search(r"://[^@/]*:[^@/]*@", str(value)), name


def test_prometheus_accepts_its_configuration(tmp_path):
    service = composed.resolved()["services"]["prometheus"]
    for volume in service["volumes"]:
        if volume["type"] == "bind":
            target = tmp_path / volume["target"].removeprefix("/etc/prometheus/")
            target.symlink_to(volume["source"])
    [config] = [word.split("=")[1] for word in service["command"] if word.startswith("--config.file=")]
    file = tmp_path / config.removeprefix("/etc/prometheus/")
    answer = subprocess.run([promtool(), "check", "config", file], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def promtool():
    unpacked = REPOSITORY / "tests/monitoring/.debian/usr/bin/promtool"
    return unpacked if unpacked.exists() else "promtool"


def test_prometheus_scrapes_every_service_under_the_name_that_the_rules_know():
    text = (REPOSITORY / "deploy/compose/prometheus.yml").read_text()
    jobs = dict(re.findall(r"job_name: carillon-(\S+)\n\s+dns_sd_configs: \[\{names: \[([^\]]+)\]", text))
    services = composed.resolved()["services"]
    assert {job: names.split(", ") for job, names in jobs.items()} == {
        program: [name for name, service in services.items() if service.get("command") == [program]]
        for program in ["gateway", "auth", "notification", "chat", "ticket-presence", "metrics"]
    }


# ---- what it starts -----------------------------------------------------------------------------------------------------


def base(trial, port=80):
    return f"http://127.0.0.1:{trial.port('nginx', port)}"


def post(url, body, token=None, method="POST"):
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def log_in(trial, username):
    return post(f"{base(trial, 8000)}/api/auth/token/", {"username": username, "password": PASSWORD})


def listen(trial, path, token, address="127.0.0.1", **more):
    url = f"{base(trial).replace('http', 'ws', 1)}{path}?token={token}"
    return connect(url, source_address=(address, 0), open_timeout=10, proxy=None, **more)


def heard(socket, condition):
    """The next frame of which this holds."""
    return wait("a frame", lambda: next((frame for frame in [json.loads(socket.recv(timeout=10))] if condition(frame)), None))


def test_s3_06_two_browsers_one_assigns_the_other_is_told(trial):
    alice, bob = log_in(trial, "alice")["access"], log_in(trial, "bob")["access"]
    with listen(trial, "/ws/notifications/", bob) as inbox, listen(trial, "/ws/projects/1/tickets/", bob) as board:
        for socket in (inbox, board):
            socket.recv(timeout=10)
        ticket = post(f"{base(trial, 8000)}/api/projects/1/tickets/", {"title": "Fix login bug", "assignee": 2}, alice)
        told = heard(inbox, lambda frame: "Fix login bug" in json.dumps(frame))
        assert "assigned" in json.dumps(told)
        update = heard(board, lambda frame: frame.get("type") == "ticket_update")
        assert update["data"]["key"] == ticket["key"]


def test_a_probe_reaches_every_endpoint_through_nginx(trial):
    command = [carillon("carillon"), "probe", "--url", base(trial), "--login", "alice", "--json"]
    # In production mode an address may have so many connections, which the probe takes one after the other.
    answer = subprocess.run(command, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}, timeout=120)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_limits_are_those_of_the_clients_own_address(trial):
    token = log_in(trial, "carol")["access"]
    liar = {"additional_headers": {"X-Forwarded-For": "127.0.0.40"}}
    with ExitStack() as sockets:
        for _ in range(LIMIT):
            socket = sockets.enter_context(listen(trial, "/ws/notifications/", token, "127.0.0.31", **liar))
            socket.recv(timeout=10)
        with listen(trial, "/ws/notifications/", token, "127.0.0.31", **liar) as one_too_many, \
                pytest.raises(ConnectionClosed) as closed:
            while True:
                one_too_many.recv(timeout=10)
        assert closed.value.rcvd.code == 4429
        # Whoever comes from elsewhere is let in, whatever the other one has said of where it is.
        for address in ("127.0.0.32", "127.0.0.40"):
            with listen(trial, "/ws/notifications/", token, address) as other:
                assert json.loads(other.recv(timeout=10))["type"].startswith("connection")


def test_the_images_health_check_tells_who_is_ready(trial):
    [program, *arguments] = trial.image.health
    for service in ("gateway-1", "auth", "ticket-presence"):
        environment = {"CARILLON_OPS_LISTEN": f"127.0.0.1:{trial.port(service, 9000)}"}
        answer = subprocess.run([carillon(program), *arguments], env=environment, capture_output=True, text=True)
        assert (answer.returncode, answer.stdout) == (0, "ready\n"), service
    environment = {"CARILLON_OPS_LISTEN": "127.0.0.1:9"}
    answer = subprocess.run([carillon(program), *arguments], env=environment, capture_output=True, text=True)
    assert answer.returncode == 1 and "nobody answers" in answer.stdout


def test_each_service_has_secrets_of_its_own(trial):
    volumes = trial.directory / "volumes"
    files = {
        path.relative_to(volumes): path.read_text()
        for path in volumes.glob("*-secrets/*")
        if path.parent.name not in ("nats-secrets", "postgres-secrets")
    }
    passwords = [text for path, text in files.items() if path.name in ("nats", "pgpass")]
    assert len(passwords) == 11 and len(set(passwords)) == 11
    # A second start changes none.
    trial.start_secrets()
    assert {path: (volumes / path).read_text() for path in files} == files


def test_each_service_reads_its_own_schema_and_no_other(trial):
    password = next(line.split(":")[4] for line in [(trial.directory / "volumes/chat-secrets/pgpass").read_text().strip()])
    url = f"postgres://chat:{password}@127.0.0.1:{trial.port('postgres', 5432)}/carillon"

    def ask(sql):
        return trial.postgres.run("psql", url, "--no-psqlrc", f"--command={sql}", check=False)

    assert ask("SELECT count(*) FROM chat.log").returncode == 0
    for sql in ("SELECT * FROM auth.users", "CREATE TABLE public.mine (id BIGINT)", "CREATE SCHEMA mine"):
        answer = ask(sql)
        assert answer.returncode != 0 and "permission denied" in answer.stderr, sql


def test_nobody_wants_more_of_nats_than_it_may(trial):
    for name in trial.services:
        if trial.is_carillon(name):
            assert "Permissions Violation" not in trial.supervisor.log(name), name
