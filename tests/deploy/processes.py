"""Real processes on free ports of this machine: NATS servers, Postgres, nginx, and Carillon's own binaries."""

import ctypes
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

# Where Carillon's binaries were built.
BINARIES = Path(os.environ.get("CARILLON_BIN", REPOSITORY / "target/debug"))

# Where servers are beside PATH: where Debian puts them, and where setup-tests.sh has unpacked them.
SERVERS = ["/usr/sbin", "/usr/lib/postgresql/*/bin", REPOSITORY / "tests/.debian/usr/sbin"]

DEADLINE = 60
POLL = 0.05

# Of prctl(2): the signal that a child gets when its parent is gone.
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def carillon(name):
    """One of Carillon's binaries."""
    path = BINARIES / name
    assert path.is_file(), f"{path} is not built: run `make build` first (CARILLON_BIN says where binaries are)"
    return path


def server(name):
    """A server of another's, which scripts/setup-tests.sh installs."""
    directories = [path for pattern in SERVERS for path in sorted(Path("/").glob(str(pattern).lstrip("/")))]
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, directories)]))
    assert found, f"{name} is not installed: run scripts/setup-tests.sh"
    return Path(found)


def free_port():
    """A port that nobody listens on, below those that outgoing connections take."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                continue
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait(what, condition, deadline=DEADLINE):
    """Waits until a condition holds, and returns what it is then."""
    end = time.monotonic() + deadline
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(POLL)


@contextmanager
def supervised():
    """A supervisor with a directory of its own, which other users can pass through."""
    with tempfile.TemporaryDirectory(prefix="carillon-", ignore_cleanup_errors=True) as directory:
        os.chmod(directory, 0o711)
        supervisor = Supervisor(directory)
        try:
            yield supervisor
        finally:
            supervisor.stop_all()


class Supervisor:
    """Processes by name, with their logs in one directory; none of them outlives this."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.processes = {}

    def start(self, name, command, environment=None, user=None, stop=signal.SIGTERM):
        """Starts a process with this environment, and nothing of ours but PATH."""
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC", **(environment or {})}
        owner = pwd.getpwnam(user) if user else None

        def detach():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if owner:
                os.setgid(owner.pw_gid)
                os.setuid(owner.pw_uid)
                LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

        with open(self.log_path(name), "ab") as log:
            process = subprocess.Popen(
                list(map(str, command)), env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd="/", start_new_session=True, preexec_fn=detach,
            )
        process.stop_signal = stop
        self.processes[name] = process

    def log_path(self, name):
        return self.directory / f"{name}.log"

    def log(self, name):
        return self.log_path(name).read_text(errors="replace")

    def wait_for(self, name, what, condition):
        """Waits for a condition, unless the process ends before that."""

        def holds():
            code = self.processes[name].poll()
            assert code is None, f"{name} ended ({code}):\n{self.log(name)[-3000:]}"
            return condition()

        try:
            return wait(what, holds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log(name)[-3000:]}") from None

    def ready(self, name, url):
        """Waits until a process answers at its /readyz or the like."""
        self.wait_for(name, f"{name} to be ready", lambda: status(url) == 200)

    def stop(self, name, how=None):
        process = self.processes[name]
        if process.poll() is None:
            process.send_signal(how or process.stop_signal)
        process.wait(DEADLINE)

    def stop_all(self):
        for name in reversed(list(self.processes)):
            try:
                self.stop(name)
            except subprocess.TimeoutExpired:
                self.processes[name].kill()
                self.processes[name].wait()


def status(url):
    """The status with which a URL answers, or None."""
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def accepts(port):
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Postgres:
    """A Postgres with a data directory of its own; its superuser is `postgres`."""

    NAME = "postgres"

    def __init__(self, supervisor, directory, initdb=(), settings=(), port=None):
        self.supervisor = supervisor
        self.port = port or free_port()
        self.user = "postgres" if os.geteuid() == 0 else None
        self.data = Path(directory) / "data"
        self.data.mkdir(parents=True, mode=0o700)
        if self.user:
            shutil.chown(self.data, self.user, self.user)
        self.run("initdb", f"--pgdata={self.data}", f"--username={self.NAME}", "--no-sync", *initdb)
        self.settings = [f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.data}",
                         "fsync=off", *settings]

    def start(self, command=("postgres",)):
        command = [server("postgres"), *command[1:], "-D", self.data]
        for setting in self.settings:
            command += ["-c", setting]
        self.supervisor.start(self.NAME, command, user=self.user, stop=signal.SIGINT)
        self.supervisor.wait_for(self.NAME, "Postgres", lambda: self.psql("SELECT 1", check=False).returncode == 0)

    def run(self, program, *arguments, check=True, environment=None, text=None):
        """Runs one of Postgres's programs as whoever owns the data."""
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "PGHOST": str(self.data), "PGPORT": str(self.port),
                       **(environment or {})}
        answer = subprocess.run([server(program), *map(str, arguments)], capture_output=True, text=True, cwd="/",
                                env=environment, preexec_fn=self.become, input=text)
        assert not check or answer.returncode == 0, answer.stderr
        return answer

    def run_script(self, script, environment):
        """Runs a script that speaks to this server, as whoever owns the data."""
        directory = server("psql").parent
        environment = {"PATH": f"{directory}:{os.environ['PATH']}", "LC_ALL": "C", "PGHOST": str(self.data),
                       "PGPORT": str(self.port), **environment}
        answer = subprocess.run(["sh", script], capture_output=True, text=True, cwd="/", env=environment,
                                preexec_fn=self.become)
        assert answer.returncode == 0, answer.stderr

    def become(self):
        """Of a process that was just started: it goes on as whoever owns the data."""
        if self.user:
            owner = pwd.getpwnam(self.user)
            os.setgid(owner.pw_gid)
            os.setuid(owner.pw_uid)

    def psql(self, sql, database="postgres", check=True):
        return self.run("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1",
                        f"--username={self.NAME}", f"--dbname={database}", f"--command={sql}", check=check)
