"""deploy/nats/cluster.conf and deploy/postgres, as production has them: three NATS servers and a Postgres, all with TLS, and
every service of Carillon on them (S4-09)."""

import asyncio
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import time

import nats
import pytest

from authority import Authority
from processes import REPOSITORY, Postgres, carillon, free_port, server, status, supervised

PROGRAMS = ["gateway", "auth", "notification", "chat", "ticket-presence", "metrics"]
SERVICES = PROGRAMS[1:]


class Cluster:
    """What production stands on, and what it runs."""

    def __init__(self, supervisor):
        self.supervisor = supervisor
        self.directory = supervisor.directory
        self.authority = Authority(self.directory / "authority")
        self.stranger = Authority(self.directory / "stranger", "Somebody else's authority")
        self.passwords = {name: f"p{name.replace('-', '')}0123456789" for name in [*PROGRAMS, "system", "routes"]}
        self.servers = {}
        self.ports = {}

    # ---- NATS ----------------------------------------------------------------------------------------------------------

    def start_nats(self):
        """Three servers with the real configuration, which differ in their environment; ports are free ones."""
        for number in (1, 2, 3):
            self.servers[number] = {"client": free_port(), "route": free_port(), "http": free_port()}
        for number in (1, 2, 3):
            self.start_server(number)
        for number in (1, 2, 3):
            self.supervisor.wait_for(f"nats-{number}", "its routes", lambda: self.routes(number) >= 2)

    def start_server(self, number):
        directory, ports = self.directory / f"nats-{number}", self.servers[number]
        if not directory.exists():
            shutil.copytree(REPOSITORY / "deploy/nats", directory)
            self.authority.issue(directory / "tls", "localhost", "127.0.0.1")
            for file, changes in {
                "cluster.conf": [("/etc/nats/tls", f"{directory}/tls"), ("port: 4222", f'listen: "127.0.0.1:{ports["client"]}"'),
                                 ("port: 6222", f'listen: "127.0.0.1:{ports["route"]}"')],
                "server.conf": [("http_port: 8222", f'http: "127.0.0.1:{ports["http"]}"')],
            }.items():
                text = (directory / file).read_text()
                for old, new in changes:
                    assert old in text, f"{file} has no {old}"
                    text = text.replace(old, new)
                (directory / file).write_text(text)
        routes = ", ".join(f"nats-route://route:{self.passwords['routes']}@127.0.0.1:{p['route']}" for p in self.servers.values())
        environment = {"NATS_SERVER_NAME": f"nats-{number}", "NATS_ROUTES_PASSWORD": self.passwords["routes"],
                       "NATS_ROUTES": f"[{routes}]"}
        for name in [*PROGRAMS, "system"]:
            environment[f"NATS_{name.replace('-', '_').upper()}_PASSWORD"] = self.passwords[name]
        command = [server("nats-server"), "--config", directory / "cluster.conf"]
        self.supervisor.start(f"nats-{number}", command, environment, stop=signal.SIGINT)
        self.supervisor.ready(f"nats-{number}", f"http://127.0.0.1:{ports['http']}/healthz")

    def routes(self, number):
        answer = subprocess.run(["curl", "-s", f"http://127.0.0.1:{self.servers[number]['http']}/routez"], capture_output=True)
        return json.loads(answer.stdout or b"{}").get("num_routes", 0)

    def nats_urls(self):
        return ",".join(f"tls://127.0.0.1:{ports['client']}" for ports in self.servers.values())

    def nats_login(self, program, authority=None):
        """The options with which a program reaches NATS."""
        directory = self.directory / "clients" / program
        if not directory.exists():
            self.authority.issue(directory, program)
            (directory / "password").write_text(self.passwords[program] + "\n")
        return {
            "CARILLON_NATS_URL": self.nats_urls(), "CARILLON_NATS_USER": program,
            "CARILLON_NATS_PASSWORD_FILE": str(directory / "password"),
            "CARILLON_NATS_CA": str((authority or self.authority).certificate),
            "CARILLON_NATS_CERTIFICATE": str(directory / "tls.crt"), "CARILLON_NATS_KEY": str(directory / "tls.key"),
        }

    # ---- Postgres ------------------------------------------------------------------------------------------------------

    def start_postgres(self):
        """With the settings and roles of deploy/postgres, and TLS as its comments say."""
        settings = self.directory / "postgresql.conf"
        text = (REPOSITORY / "deploy/postgres/postgresql.conf").read_text()
        tls = re.findall(r"(?m)^#(ssl.*)$", text)
        assert len(tls) == 4
        tls_files = self.authority.issue(self.directory / "postgres-tls", "localhost")
        settings.write_text(text + "\n".join(tls).replace("/etc/postgresql/tls", str(tls_files)))
        self.postgres = Postgres(self.supervisor, self.directory / "postgres",
                                 ["--encoding=UTF8", "--locale=C", "--auth-local=trust", "--auth-host=scram-sha-256"],
                                 settings=[f"config_file={settings}"])
        for file in [*tls_files.iterdir(), settings]:
            file.chmod(0o600)
            if self.postgres.user:
                shutil.chown(file, self.postgres.user)
        hba = self.postgres.data / "pg_hba.conf"
        hba.write_text("local all all trust\nhostssl carillon all all scram-sha-256\n")
        self.postgres.start()
        self.postgres.psql("CREATE DATABASE carillon ENCODING 'UTF8' TEMPLATE template0")
        secrets = self.directory / "postgres-secrets"
        secrets.mkdir()
        for service in SERVICES:
            (secrets / service).write_text(self.passwords[service])
        self.postgres.run("psql", "--set=ON_ERROR_STOP=1", "--username=postgres", "--dbname=carillon", "--quiet",
                          "--file=-", environment={"CARILLON_SECRETS": str(secrets)},
                          text=(REPOSITORY / "deploy/postgres/roles.sql").read_text())

    def database(self, service, authority=None, host="localhost"):
        certificate = (authority or self.authority).certificate
        return (f"postgres://{service}:{self.passwords[service]}@{host}:{self.postgres.port}/carillon"
                f"?sslmode=verify-full&sslrootcert={certificate}")

    # ---- Carillon ------------------------------------------------------------------------------------------------------

    def start_program(self, program):
        operations, listen = free_port(), free_port()
        self.ports[program] = {"operations": operations, "client": listen}
        environment = {**self.nats_login(program), "CARILLON_OPS_LISTEN": f"127.0.0.1:{operations}"}
        if program == "gateway":
            environment |= {"CARILLON_LISTEN": f"127.0.0.1:{listen}", "CARILLON_MODE": "development"}
        else:
            environment["CARILLON_DATABASE_URL"] = self.database(program)
        if program == "auth":
            environment["CARILLON_DEMO"] = "true"
        self.supervisor.start(program, [carillon(program)], environment)
        self.supervisor.ready(program, f"http://127.0.0.1:{operations}/readyz")

    def run(self, *arguments, **environment):
        """Runs one of the operator's commands: its code, and what it printed as JSON."""
        answer = subprocess.run([carillon("carillon"), *arguments, "--json"], capture_output=True, text=True, timeout=120,
                                env={"PATH": os.environ["PATH"], **environment})
        return answer.returncode, json.loads(answer.stdout) if answer.stdout else answer.stderr

    def probe(self):
        return self.run("probe", "--url", f"http://127.0.0.1:{self.ports['gateway']['client']}", "--login", "alice")

    def check(self, *arguments, **environment):
        """What `carillon check` finds, by group and what is checked."""
        code, report = self.run("check", "--timeout", "20s", *arguments, **environment)
        return code, {(row["group"], row["check"]): row for row in report["checks"]}


@pytest.fixture(scope="module")
def cluster():
    with supervised() as supervisor:
        cluster = Cluster(supervisor)
        cluster.start_nats()
        cluster.start_postgres()
        for program in [*SERVICES, "gateway"]:
            cluster.start_program(program)
        yield cluster


def databases(cluster):
    return [word for service in SERVICES for word in ("--database", f"{service}={cluster.database(service)}")]


def test_a_check_finds_nothing_that_is_not_as_it_should_be(cluster):
    code, rows = cluster.check(*databases(cluster), "--replicas", "2", **cluster.nats_login("gateway"))
    # How long something took is this machine's matter.
    about_time = [row for row in rows.values() if row["status"] == "warning" and (row["group"] == "services" or "trip" in row["check"])]
    wrong = [row for row in rows.values() if row["status"] == "failed" or row["group"] in ("nats", "database", "services")
             and row["status"] != "ok" and row not in about_time]
    assert (code, wrong) == (0, [])
    assert rows["nats", "TLS"]["detail"] == rows["database", "TLS"]["detail"] == "yes"
    assert "carillon" in rows["nats", "connection"]["detail"]


def test_every_endpoint_works_with_the_least_rights_over_tls_and_without_one_of_the_servers(cluster):
    code, report = cluster.probe()
    assert code == 0, report
    cluster.supervisor.stop("nats-1", signal.SIGKILL)
    for program in PROGRAMS:
        cluster.supervisor.ready(program, f"http://127.0.0.1:{cluster.ports[program]['operations']}/readyz")
    code, report = cluster.probe()
    assert code == 0, report
    cluster.start_server(1)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_may_do_what_it_needs_and_nothing_else(cluster, program):
    code, rows = cluster.check("--nats-name", program, **cluster.nats_login(program))
    assert rows["nats", "permissions"]["status"] == rows["nats", "round trip"]["status"] == "ok"
    denied = asyncio.run(refusals(cluster, program))
    assert denied == forbidden(program)


def forbidden(program):
    """What each program must not do: speak for another, or hear what is for another."""
    others = [other for other in PROGRAMS if other != program]
    publish = {f"_INBOX_{other}.1" for other in others} | {f"health.{other}" for other in others} | {"anything", "rpc.auth.rotate"}
    subscribe = {f"_INBOX_{other}.>" for other in others} | {f"rpc.{other}.*" for other in SERVICES} | {">", "rpc.>", "$SYS.>"}
    channels = {"auth": "live.access", "notification": "live.user.1", "chat": "live.room.a", "ticket-presence": "live.project.1",
                "metrics": "live.system.health"}
    publish |= {subject for owner, subject in channels.items() if owner != program}
    if program != "gateway":
        publish |= {"gateway.all", "telemetry.1", "rpc.auth.access", "rpc.chat.http"}
        subscribe |= {"live.>", "gateway.all", "gateway.*.*"}
    if program != "metrics":
        publish |= {"gateway.1.disconnect"}
        subscribe |= {"telemetry.*", "health.*"}
    return {("publish", subject) for subject in publish} | {("subscribe", subject) for subject in subscribe}


async def refusals(cluster, program):
    """Which of what it must not do NATS refuses it."""
    login = cluster.nats_login(program)
    context = ssl.create_default_context(cafile=login["CARILLON_NATS_CA"])
    context.load_cert_chain(login["CARILLON_NATS_CERTIFICATE"], login["CARILLON_NATS_KEY"])
    refused = set()

    async def complaint(error):
        found = re.search(r"permissions violation for (publish|subscription) to \"?([^\" ]+)", str(error).lower())
        # What TLS has to say about the end of the connection is nothing to do with it.
        if found:
            refused.add((found[1].replace("subscription", "subscribe"), found[2]))

    client = await nats.connect(login["CARILLON_NATS_URL"].split(","), user=program, password=cluster.passwords[program],
                                tls=context, error_cb=complaint, inbox_prefix=f"_INBOX_{program}".encode(),
                                allow_reconnect=False, connect_timeout=20)
    wanted = {(what, subject.lower()): subject for what, subject in forbidden(program)}
    for what, subject in forbidden(program):
        await (client.publish(subject, b"") if what == "publish" else client.subscribe(subject))
    # What it refuses it says before it answers this; the client passes it on a moment later.
    await client.flush(20)
    end = time.monotonic() + 20
    while len(refused) < len(wanted) and time.monotonic() < end:
        await asyncio.sleep(0.01)
    await client.close()
    return {(what, wanted[what, subject]) for what, subject in refused}


def test_what_nobody_forbids_would_be_missed(cluster):
    """The test of the test: what a program may do is not refused."""
    assert ("publish", "live.room.a") not in forbidden("chat")
    assert ("publish", "live.room.a") in forbidden("auth")


def test_nobody_wanted_more_than_it_may(cluster):
    for program in PROGRAMS:
        assert "Permissions Violation" not in cluster.supervisor.log(program), program


# ---- whom they trust ----------------------------------------------------------------------------------------------------


def test_a_nats_server_of_another_authority_is_refused_and_said_so(cluster):
    code, rows = cluster.check(**cluster.nats_login("gateway", cluster.stranger))
    connection = rows["nats", "connection"]
    assert code == 1 and connection["status"] == "failed"
    assert "certificate" in connection["detail"].lower() and "--nats-ca" in connection["mend"], connection


def test_a_service_that_does_not_trust_nats_says_so_and_is_not_ready(cluster):
    operations = free_port()
    environment = {**cluster.nats_login("metrics", cluster.stranger), "CARILLON_OPS_LISTEN": f"127.0.0.1:{operations}",
                   "CARILLON_DATABASE_URL": cluster.database("metrics")}
    cluster.supervisor.start("distrustful", [carillon("metrics")], environment)
    said = lambda: re.search(r"out of reach.*(certificate|UnknownIssuer)", cluster.supervisor.log("distrustful"))  # noqa: E731
    cluster.supervisor.wait_for("distrustful", "a word about the certificate", said)
    assert status(f"http://127.0.0.1:{operations}/readyz") != 200
    cluster.supervisor.stop("distrustful")


def test_nats_lets_nobody_in_without_a_certificate_or_a_password(cluster):
    login = cluster.nats_login("gateway")
    without = {name: value for name, value in login.items() if name not in ("CARILLON_NATS_CERTIFICATE", "CARILLON_NATS_KEY")}
    code, rows = cluster.check(**without)
    assert code == 1 and rows["nats", "connection"]["status"] == "failed"
    wrong = cluster.directory / "wrong"
    wrong.write_text("not the password")
    code, rows = cluster.check(**{**login, "CARILLON_NATS_PASSWORD_FILE": str(wrong)})
    assert code == 1 and "uthorization" in rows["nats", "connection"]["detail"]


def test_a_file_without_certificates_is_refused_at_once(cluster):
    empty = cluster.directory / "empty.crt"
    empty.write_text("")
    environment = {**cluster.nats_login("metrics"), "CARILLON_NATS_CA": str(empty), "CARILLON_DATABASE_URL": cluster.database("metrics")}
    answer = subprocess.run([carillon("metrics")], env=environment, capture_output=True, text=True, timeout=30)
    assert answer.returncode == 1 and f"{empty}: it holds no certificate" in answer.stderr


def test_a_postgres_of_another_authority_or_name_is_refused_and_said_so(cluster):
    for url in (cluster.database("chat", cluster.stranger), cluster.database("chat", host="127.0.0.1")):
        code, rows = cluster.check("--database", f"chat={url}")
        assert code == 1 and rows["database", "chat"]["status"] == "failed"
        assert "certificate" in rows["database", "chat"]["detail"], rows["database", "chat"]
    code, rows = cluster.check("--database", f"chat={cluster.database('chat')}")
    assert rows["database", "chat"]["status"] == "ok"


def test_postgres_lets_nobody_in_without_tls(cluster):
    url = cluster.database("chat").split("?")[0] + "?sslmode=disable"
    code, rows = cluster.check("--database", f"chat={url}")
    assert code == 1 and rows["database", "chat"]["status"] == "failed"
