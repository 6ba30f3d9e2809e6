"""The trial of deploy/compose, as `docker compose config` resolves it, run as processes of this machine.

What a container would have is kept as it is: command, environment, mounted files, and who waits for whom. Three things are put in
the place of others: a container's paths become paths below a directory of its own, the name and port of a service become an
address of 127.0.0.1 with a free port, and an image becomes the program that it holds.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from image import Image
from processes import REPOSITORY, Postgres, carillon, free_port, server

COMPOSE = REPOSITORY / "deploy/compose/compose.yaml"
TOOL = Path(__file__).parent / ".tools/bin/docker-compose"


def config(environment=None, *arguments):
    """What `docker compose config` answers."""
    return subprocess.run(
        [TOOL, "--file", COMPOSE, "config", *arguments], capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **(environment or {})},
    )


def resolved(environment=None):
    """The trial with everything in its place."""
    answer = config(environment, "--format", "json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


class Trial:
    """The services of the trial as processes."""

    def __init__(self, supervisor, environment=None):
        self.supervisor = supervisor
        self.directory = supervisor.directory
        self.compose = resolved(environment)
        self.services = self.compose["services"]
        self.image = Image()
        self.ports = {}
        self.postgres = None

    # ---- where things are ---------------------------------------------------------------------------------------------

    def port(self, service, port):
        """The port of this machine that stands for a container's."""
        return self.ports.setdefault((service, int(port)), free_port())

    def mounts(self, service):
        """The paths of a container that are mounted, longest first, and where they are on this machine."""
        mounts = {}
        for volume in self.services[service].get("volumes", []):
            target = volume["target"]
            if volume["type"] == "bind":
                mounts[target] = self.copied(service, volume["source"], target)
            else:
                mounts[target] = self.directory / "volumes" / volume["source"]
                mounts[target].mkdir(parents=True, exist_ok=True)
        return dict(sorted(mounts.items(), key=lambda mount: -len(mount[0])))

    def copied(self, service, source, target):
        """A copy of what is mounted, so that its words can be put in the place of others."""
        copy = self.directory / "containers" / service / target.lstrip("/")
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if Path(source).is_dir() else shutil.copy)(source, copy)
        return copy

    def translate(self, service, text):
        """A text of a container, with this machine's paths and addresses."""
        for target, place in self.mounts(service).items():
            text = re.sub(rf"(?<![\w/.]){re.escape(target)}(?=[/\s\"';:]|$)", str(place), text)

        def address(match):
            return f"127.0.0.1:{self.port(match[1], match[2])}"

        names = "|".join(map(re.escape, sorted(self.services, key=len, reverse=True)))
        return re.sub(rf"(?<![\w.-])({names}):(\d+)\b", address, text)

    def translate_files(self, service, more=()):
        """Puts this machine's paths and addresses into the files that a container has mounted."""
        for volume in self.services[service].get("volumes", []):
            if volume["type"] != "bind":
                continue
            copy = self.copied(service, volume["source"], volume["target"])
            for file in [copy] if copy.is_file() else [path for path in copy.rglob("*") if path.is_file()]:
                text = self.translate(service, file.read_text())
                for pattern, replacement in more:
                    text = re.sub(pattern, replacement, text)
                file.write_text(text)

    def environment(self, service):
        """A container's environment: what its image and what compose says."""
        own = self.image.environment if self.is_carillon(service) else {}
        named = {name: value for name, value in (self.services[service].get("environment") or {}).items() if value is not None}
        return {name: self.translate(service, str(value)) for name, value in {**own, **named}.items() if name != "PATH"}

    def is_carillon(self, service):
        return "build" in self.services[service]

    # ---- starting -----------------------------------------------------------------------------------------------------

    def order(self):
        """The services, each after those that it waits for."""
        done = []

        def visit(name):
            for other in sorted(self.services[name].get("depends_on", {})):
                visit(other)
            if name not in done:
                done.append(name)

        for name in sorted(self.services):
            visit(name)
        return done

    def start(self):
        """Starts everything that clients need, in the order of compose, each when what it waits for is ready."""
        for name in self.order():
            if self.is_carillon(name):
                self.start_carillon(name)
            elif name in ("secrets", "nats", "postgres", "nginx"):
                getattr(self, f"start_{name}")()

    def start_secrets(self):
        """A container that ends before the others begin."""
        mounts = self.mounts("secrets")
        [shell, script] = self.services["secrets"]["entrypoint"]
        me = f"{os.geteuid()}:{os.getegid()}"
        database = "postgres:postgres" if os.geteuid() == 0 else me
        environment = {
            "PATH": os.environ["PATH"], "SECRETS": str(self.directory / "secrets"), "FILES": str(mounts["/files"]),
            "OWNER": me, "DATABASE_OWNER": database,
        }
        # Volumes are mounted below one directory there.
        (self.directory / "secrets").mkdir(exist_ok=True)
        for target, place in mounts.items():
            link = self.directory / "secrets" / Path(target).name
            if target.startswith("/secrets/") and not link.exists():
                link.symlink_to(place)
        answer = subprocess.run([shell, self.translate("secrets", script)], env=environment, capture_output=True, text=True)
        assert answer.returncode == 0, answer.stderr

    def start_nats(self):
        self.translate_files("nats", [
            (r"(?m)^port: 4222$", f'listen: "127.0.0.1:{self.port("nats", 4222)}"'),
            (r"(?m)^http_port: 8222$", f'http: "127.0.0.1:{self.port("nats", 8222)}"'),
        ])
        command = [self.translate("nats", word) for word in self.services["nats"]["entrypoint"]]
        command[-1] = command[-1].replace("nats-server", shlex.quote(str(server("nats-server"))))
        self.supervisor.start("nats", command)
        self.supervisor.ready("nats", f"http://127.0.0.1:{self.port('nats', 8222)}/healthz")

    def start_postgres(self):
        self.translate_files("postgres")
        environment = self.environment("postgres")
        initdb = environment["POSTGRES_INITDB_ARGS"].split()
        password = environment["POSTGRES_PASSWORD_FILE"]
        data = self.mounts("postgres")["/var/lib/postgresql/data"]
        self.postgres = Postgres(self.supervisor, data, [*initdb, f"--pwfile={password}", "--auth-local=trust"],
                                 port=self.port("postgres", 5432))
        self.postgres.start([self.translate("postgres", word) for word in self.services["postgres"]["command"]])
        self.postgres.psql(f"CREATE DATABASE {environment['POSTGRES_DB']} TEMPLATE template0")
        script = self.mounts("postgres")["/docker-entrypoint-initdb.d/carillon.sh"]
        script.chmod(0o755)
        mounts = self.mounts("postgres")
        self.postgres.run_script(script, {
            "POSTGRES_USER": "postgres", "POSTGRES_DB": environment["POSTGRES_DB"],
            "CARILLON_POSTGRES": str(mounts["/etc/postgresql/carillon"]),
            "CARILLON_SECRETS": str(mounts["/run/secrets/postgres"]),
        })

    def start_carillon(self, service):
        [program] = self.services[service]["command"]
        environment = self.environment(service)
        environment["CARILLON_OPS_LISTEN"] = self.local(service, environment["CARILLON_OPS_LISTEN"])
        environment["CARILLON_LISTEN"] = self.local(service, environment["CARILLON_LISTEN"])
        self.supervisor.start(service, [carillon(program)], environment)
        self.supervisor.ready(service, f"http://{environment['CARILLON_OPS_LISTEN']}/readyz")

    def local(self, service, listen):
        host, port = listen.rsplit(":", 1)
        assert host == "0.0.0.0", f"{service} listens on {listen}, which other containers can't reach"
        return f"127.0.0.1:{self.port(service, port)}"

    def start_nginx(self):
        place = self.directory / "containers/nginx/etc/nginx"
        [network] = self.services["nginx"]["networks"].values()
        self.translate_files("nginx", [
            (r"listen (\d+);", lambda match: f"listen 127.0.0.1:{self.port('nginx', match[1])};"),
            # It speaks to gateways from its own address, as a container does.
            (r"include carillon/locations.conf;", f"include carillon/locations.conf; proxy_bind {network['ipv4_address']};"),
            (r"/dev/std(out|err)", str(self.directory / "nginx.access.log")),
            (r"(?m)^worker_processes auto;", f"daemon off; pid {place}/nginx.pid; worker_processes 1;"),
            (r"worker_rlimit_nofile 131072;", ""),
            (r"worker_connections 65536;", "worker_connections 1024;"),
        ])
        temporary = "".join(f"{what}_temp_path {place}/{what}; " for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        file = place / "nginx.conf"
        file.write_text(file.read_text().replace("http {", "http { " + temporary, 1))
        self.supervisor.start("nginx", [server("nginx"), "-p", place, "-c", file, "-e", self.directory / "nginx.error.log"])
        self.supervisor.ready("nginx", f"http://127.0.0.1:{self.port('nginx', 80)}/.well-known/jwks.json")
