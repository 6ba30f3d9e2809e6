"""A real Carillon for the tests: one process, on a port and in a directory of its own."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import jwt

SECRET = "a-secret-of-at-least-thirty-two-bytes"
"""What the tests' Django has as its SECRET_KEY."""

SCOPES = [
    "notifications:send",
    "events:publish",
    "memberships:write",
    "chat:send",
    "counter:update",
    "groups:send",
    "channels:listen",
]

_REPOSITORY = Path(__file__).resolve().parents[3]


def binary() -> Path:
    """`carillon`: in $CARILLON_BIN, or where cargo builds it."""
    directory = os.environ.get("CARILLON_BIN")
    found = (Path(directory) if directory else _REPOSITORY / "target" / "debug") / "carillon"
    if not found.exists():
        raise RuntimeError(f"{found} is not there: cargo build --bin carillon, or set CARILLON_BIN")
    return found


class Gateway:
    def __init__(self, directory: Path, *options: str) -> None:
        self.directory, self.options = directory, options
        self.port, self.process = 0, None
        self.start()
        self._admin = self._login()
        self.token = self.service_token(*SCOPES)

    def start(self) -> None:
        """Starts it, on the port that it had before if it had one."""
        # Another process may have that port for the moment: then it is free again in a while.
        until = time.monotonic() + 60
        while not self._listens():
            if time.monotonic() > until:
                raise RuntimeError(f"carillon did not start:\n{(self.directory / 'carillon.log').read_text()}")
        self.wait()

    def _listens(self) -> bool:
        """Starts the process, and waits until it says where it listens. False if it ends instead."""
        assert self.process is None
        command = [binary(), "up", "--listen", f"127.0.0.1:{self.port}", "--ops-listen", "127.0.0.1:0"]
        command += ["--data-dir", self.directory / "data", "--workers", "1", "--log", "warn", *self.options]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CARILLON_")}
        environment["CARILLON_JWT_SECRET"] = SECRET
        with (self.directory / "carillon.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment)
        for line in self.process.stdout:
            if found := re.search(rb"http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                return True
        self._gone()
        return False

    def wait(self) -> None:
        """Waits until its services answer."""
        until = time.monotonic() + 120
        while True:
            try:
                if httpx.get(f"{self.url}/api/counter/global/").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            if time.monotonic() > until:
                raise TimeoutError("carillon does not become ready")

    def kill(self) -> None:
        """Ends it without a word."""
        self.process.kill()
        self._gone()

    def stop(self) -> None:
        self.process.terminate()
        self._gone()

    def _gone(self) -> None:
        self.process.wait(30)
        self.process.stdout.close()
        self.process = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """What an admin asks of it."""
        return self._asked(method, path, body, {"authorization": f"Bearer {self._admin}"})

    def _asked(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        # Hashing a password takes its time on a machine that is busy.
        headers = {**headers, "idempotency-key": os.urandom(8).hex()}
        until = time.monotonic() + 120
        while True:
            response = httpx.request(method, self.url + path, json=body, headers=headers, timeout=60)
            if response.status_code != 503 or time.monotonic() > until:
                break
        response.raise_for_status()
        return response.json() if response.content else None

    def service_token(self, *scopes: str) -> str:
        return self.new_service_token(*scopes)[0]

    def new_service_token(self, *scopes: str) -> tuple[str, str]:
        """The token, and the id by which it is revoked."""
        made = self.admin("POST", "/api/auth/service-tokens/", {"name": "tests", "scopes": list(scopes)})
        return made["token"], made["id"]

    def organisation(self, name: str, *members: Any) -> None:
        self.admin("POST", "/api/auth/orgs/", {"id": name, "name": name})
        self.admin("PUT", f"/api/auth/orgs/{name}/members/", {"members": list(members)})

    def project(self, number: int, *members: Any) -> None:
        self.admin("POST", "/api/auth/projects/", {"id": number, "name": f"Project {number}", "key": f"P{number}"})
        self.admin("PUT", f"/api/auth/projects/{number}/members/", {"members": list(members)})

    def _login(self) -> str:
        login = {"username": "admin", "password": "carillon"}
        return self._asked("POST", "/api/auth/token/", login, {})["access"]


def user_token(user: int | str, **claims: Any) -> str:
    """A user's token, as SimpleJWT makes it with the same secret."""
    claims = {"token_type": "access", "exp": int(time.time()) + 300, "jti": os.urandom(8).hex(), **claims}
    return jwt.encode({**claims, "user_id": user}, SECRET, algorithm="HS256")
