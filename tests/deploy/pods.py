"""What manifests start, run as processes of this machine: each pod's command, arguments, environment and files, as they are.

Two things are put in the place of others. A pod's address is one of 127.0.0.0/8 of its own, with the ports that its containers name, and
stands wherever the name of its service does. An image is the program that it holds: Carillon's binaries, nats-server, and
Postgres, whose image makes a database of its environment.
"""

import base64
import itertools
import random
import re
import signal
import subprocess
from pathlib import Path

from objects import find, of_kind, pods
from processes import Postgres, carillon, server

# How long a command may run that ends by itself.
LONGEST = 120


class Namespace:
    """The objects of a namespace, and the processes of their pods."""

    def __init__(self, objects, supervisor):
        self.objects = objects
        self.supervisor = supervisor
        self.directory = supervisor.directory
        # Pods of two namespaces, and of two runs of these tests, don't meet.
        network = f"127.{random.randrange(64, 250)}.{random.randrange(1, 250)}"
        self.addresses = (f"{network}.{number}" for number in itertools.count(1))
        self.hosts = {}
        self.started = {}
        for service in of_kind(objects, "Service"):
            # Another service of the same pods is another name of theirs.
            if not service["metadata"]["name"].endswith("-ops"):
                self.hosts[service["metadata"]["name"]] = next(self.addresses)

    # ---- what a container has -----------------------------------------------------------------------------------------

    def entry(self, kind, called, key):
        """An entry of a Secret or ConfigMap."""
        thing = find(self.objects, kind, called)
        if key in thing.get("stringData", {}):
            return thing["stringData"][key]
        value = thing["data"][key]
        return base64.b64decode(value).decode() if kind == "Secret" else value

    def entries(self, kind, called):
        thing = find(self.objects, kind, called)
        return {key: self.entry(kind, called, key) for key in {**thing.get("data", {}), **thing.get("stringData", {})}}

    def environment(self, container, address):
        variables = {}
        for source in container.get("envFrom", []):
            variables |= self.entries("Secret", source["secretRef"]["name"])
        for variable in container.get("env", []):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            variables[variable["name"]] = self.entry("Secret", reference["name"], reference["key"]) if reference else variable["value"]
        return {key: self.here(value, address) for key, value in variables.items()}

    def here(self, text, address=None):
        """A text of a container as it is on this machine: names of services, and paths."""
        for host, their_address in self.hosts.items():
            text = re.sub(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", their_address, text)
        if address:
            text = re.sub(r"(?<![\d.])0\.0\.0\.0(?=:)", address, text)
        return re.sub(r"^/(var/lib/carillon|etc/nats|etc/carillon)(?=/|$)", lambda match: str(self.directory / match[0].lstrip("/")), text)

    def mount(self, pod):
        """Makes the files of a pod's volumes."""
        mounts = {mount["name"]: mount["mountPath"] for container in pod["containers"] for mount in container.get("volumeMounts", [])}
        for volume in pod.get("volumes", []):
            directory = Path(self.here(mounts[volume["name"]]))
            directory.mkdir(parents=True, exist_ok=True)
            files = {}
            if "configMap" in volume:
                files = self.entries("ConfigMap", volume["configMap"]["name"])
            elif "secret" in volume:
                files = self.entries("Secret", volume["secret"]["secretName"])
            for file, text in files.items():
                (directory / file).write_text(text)

    # ---- what runs ----------------------------------------------------------------------------------------------------

    def start_nats(self):
        pod = self.pod("StatefulSet", "carillon-nats")
        [container] = pod["containers"]
        address = self.hosts["carillon-nats"]
        self.mount(pod)
        [program] = container["command"]
        arguments = [self.here(argument) for argument in container["args"]]
        environment = self.environment(container, address)
        self.supervisor.start("nats", [server(program), *arguments, "--addr", address], environment)
        self.await_probes("nats", container, address)

    def start_postgres(self):
        pod = self.pod("StatefulSet", "carillon-postgres")
        [container] = pod["containers"]
        environment = self.environment(container, None)
        [port] = [entry["containerPort"] for entry in container["ports"]]
        assert environment["POSTGRES_USER"] == environment["POSTGRES_DB"]
        settings = [argument for argument in container["args"] if argument != "-c"]
        postgres = Postgres(self.supervisor, self.directory / "postgres", ["--encoding=UTF8", "--no-locale"], settings, port=port)
        # As the image does it: a user with that password, and its database, before anyone can connect.
        postgres.settings.append("listen_addresses=")
        postgres.start()
        postgres.psql(f"CREATE ROLE {environment['POSTGRES_USER']} SUPERUSER LOGIN PASSWORD '{environment['POSTGRES_PASSWORD']}'")
        postgres.psql(f"CREATE DATABASE {environment['POSTGRES_DB']} OWNER {environment['POSTGRES_USER']}")
        (postgres.data / "pg_hba.conf").write_text("local all all trust\nhost all all all scram-sha-256\n")
        self.supervisor.stop(postgres.NAME)
        postgres.settings[-1] = f"listen_addresses={self.hosts['carillon-postgres']}"
        postgres.start()

    def start_deployments(self):
        """Starts one pod of each."""
        for deployment in of_kind(self.objects, "Deployment"):
            called = deployment["metadata"]["name"]
            pod = deployment["spec"]["template"]["spec"]
            [container] = pod["containers"]
            address = self.hosts.get(called) or next(self.addresses)
            self.mount(pod)
            self.supervisor.start(called, self.command(container), self.environment(container, address))
            self.started[called] = (container, address)

    def await_deployments(self):
        """Waits until all are ready."""
        for called, (container, address) in self.started.items():
            self.await_probes(called, container, address)

    def command(self, container):
        """A container's command line; Carillon's binaries are in /usr/local/bin."""
        program, *arguments = container["command"] + container.get("args", [])
        directory, _, binary = program.rpartition("/")
        assert directory == "/usr/local/bin", program
        return [carillon(binary), *arguments]

    def await_probes(self, called, container, address):
        """Waits for what the container's probes ask: first whether it runs, then whether it is ready."""
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            asked = container[probe]["httpGet"]
            self.supervisor.ready(called, f"http://{address}:{ports[asked['port']]}{asked['path']}")

    def run(self, kind, called, container_name=None):
        """Runs a container that ends by itself, of a Job or a Pod: its code, and what it said."""
        pod = self.pod(kind, called)
        [container] = [one for one in pod["containers"] if container_name in (None, one["name"])]
        self.mount(pod)
        environment = {"PATH": "/usr/bin:/bin", **self.environment(container, None)}
        return subprocess.run(self.command(container), env=environment, capture_output=True, text=True, timeout=LONGEST)

    def pod(self, kind, called):
        [pod] = [pod for whose, (_, pod) in pods(self.objects).items() if whose == (kind, called)]
        return pod

    def stop(self, called):
        """Stops a pod as Kubernetes does, within its grace period, and returns its code."""
        pod = self.pod("Deployment", called)
        process = self.supervisor.processes[called]
        process.send_signal(signal.SIGTERM)
        return process.wait(pod["terminationGracePeriodSeconds"])
