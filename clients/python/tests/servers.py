"""Programs of other make that tests start, each on a free port."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from documentation import CLIENT, REPOSITORY
from gateway import SECRET

EXAMPLE = CLIENT / "example"


def environment(database: Path, **more: str) -> dict[str, str]:
    """What the example project is run with."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("CARILLON_", "DJANGO_"))}
    return {**own, "SECRET_KEY": SECRET, "DATABASE": str(database), "PYTHONUNBUFFERED": "1", **more}


def manage(variables: dict[str, str], *arguments: str) -> str:
    """`manage.py`, of the example."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=EXAMPLE, env=variables, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"manage.py {arguments[0]}: {done.stdout}\n{done.stderr}")
    return done.stdout


@contextlib.contextmanager
def running(command: list[str], variables: dict[str, str], announcement: str, log: Path) -> Iterator[int]:
    """A server of the example that says its port; ends it."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=EXAMPLE, env=variables, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield _port(process, announcement, log)
    finally:
        process.terminate()
        process.wait(30)


def _port(process: subprocess.Popen[bytes], announcement: str, log: Path) -> int:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if found := re.search(announcement, log.read_text(errors="replace")):
            return int(found[1])
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise RuntimeError(f"{process.args[:4]} did not start:\n{log.read_text(errors='replace')}")


def daphne(variables: dict[str, str], log: Path) -> contextlib.AbstractContextManager[int]:
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", "0", "project.asgi:application"]
    return running(command, variables, r"Listening on TCP address 127\.0\.0\.1:(\d+)", log)


def gunicorn(variables: dict[str, str], log: Path) -> contextlib.AbstractContextManager[int]:
    """With the application loaded before it forks, as that is the harder case."""
    command = [sys.executable, "-m", "gunicorn", "-b", "127.0.0.1:0", "-w", "2", "--preload", "project.wsgi"]
    return running(command, variables, r"Listening at: http://127\.0\.0\.1:(\d+)", log)


@contextlib.contextmanager
def nginx(directory: Path, rule: str, carillon: int, django: int) -> Iterator[int]:
    """nginx with the rule that the documentation has, and all else for Django."""
    port = free_port()
    (directory / "nginx.conf").write_text(f"""
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    upstream carillon {{ server 127.0.0.1:{carillon}; }}
    server {{
        listen 127.0.0.1:{port};
        {rule}
        location / {{ proxy_pass http://127.0.0.1:{django}; proxy_set_header Host $http_host; }}
    }}
}}
""")
    process = subprocess.Popen([program("nginx"), "-p", directory, "-c", directory / "nginx.conf"])
    try:
        until = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((directory / "error.log").read_text()) from None
                time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def program(name: str) -> str:
    """Where a program is: on PATH, or where the repository's scripts unpack it."""
    unpacked = REPOSITORY / "tests" / ".debian" / "usr" / "sbin" / name
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin") or (str(unpacked) if unpacked.exists() else None)
    if found is None:
        raise RuntimeError(f"{name} is not there: scripts/setup-clients.sh")
    return found


def free_port() -> int:
    """One that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
