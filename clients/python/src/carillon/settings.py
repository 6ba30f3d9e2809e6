"""Where Carillon is, with which token, and how patient a client is."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from .errors import ConfigurationError

DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Settings:
    """Whatever isn't said as an argument comes from Django's `CARILLON`, then from the environment."""

    url: str = DEFAULT_URL
    """A gateway, or what balances several: http or https. CARILLON_URL."""
    token: str | None = None
    """A service token. CARILLON_TOKEN, or a file with CARILLON_TOKEN_FILE."""
    timeout: float = 5.0
    """Seconds that one attempt may take. CARILLON_TIMEOUT."""
    attempts: int = 4
    """How often something is tried that can be repeated without harm."""
    deadline: float = 20.0
    """Seconds that all attempts together may take, with the pauses between them."""
    connections: int = 20
    """The most connections that a client keeps open."""
    concurrency: int = 8
    """How many requests of a batch are under way at a time."""
    verify: bool | str = True
    """Whether certificates are verified, or a file with the authorities to trust. CARILLON_CA_FILE."""

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ConfigurationError(f"URL has to begin with http:// or https://, and is {self.url!r}")
        object.__setattr__(self, "url", self.url.rstrip("/"))
        if self.attempts < 1 or self.timeout <= 0 or self.deadline <= 0:
            raise ConfigurationError("ATTEMPTS, TIMEOUT and DEADLINE have to be more than 0")

    @property
    def websocket_url(self) -> str:
        """The socket of `carillon.v1`."""
        return "ws" + self.url.removeprefix("http") + "/ws/v1/"

    def __repr__(self) -> str:
        """Without the token, so that no log or traceback shows it."""
        return f"Settings(url={self.url!r}, token={'…' if self.token else None!r})"


def resolve(**arguments: object) -> Settings:
    """The settings that hold: arguments that are not None, Django's, the environment's, the defaults."""
    names = {field.name for field in fields(Settings)}
    chosen = {name: value for name, value in arguments.items() if value is not None}
    unknown = chosen.keys() - names
    if unknown:
        raise ConfigurationError(f"no such setting: {', '.join(sorted(unknown))}")
    merged: dict[str, Any] = {**_of_environment(os.environ), **_of_django(names), **chosen}
    return replace(Settings(), **merged)


def django_settings() -> Mapping[str, Any]:
    """Django's `CARILLON`, or nothing where Django isn't used."""
    configuration = sys.modules.get("django.conf")
    if configuration is None or not (configuration.settings.configured or os.environ.get("DJANGO_SETTINGS_MODULE")):
        return {}
    own = getattr(configuration.settings, "CARILLON", None) or {}
    if not isinstance(own, Mapping):
        raise ConfigurationError('CARILLON has to be a dictionary: CARILLON = {"URL": …, "TOKEN": …}')
    return own


def _of_django(names: set[str]) -> dict[str, Any]:
    own = django_settings()
    chosen = {key.lower(): value for key, value in own.items() if value is not None}
    if "token_file" in chosen and "token" not in chosen:
        chosen["token"] = _read(chosen["token_file"])
    return {name: value for name, value in chosen.items() if name in names}


def _of_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    if url := environment.get("CARILLON_URL"):
        chosen["url"] = url
    if token := environment.get("CARILLON_TOKEN"):
        chosen["token"] = token
    elif file := environment.get("CARILLON_TOKEN_FILE"):
        chosen["token"] = _read(file)
    if timeout := environment.get("CARILLON_TIMEOUT"):
        try:
            chosen["timeout"] = float(timeout)
        except ValueError:
            raise ConfigurationError(f"CARILLON_TIMEOUT has to be seconds, and is {timeout!r}") from None
    if authorities := environment.get("CARILLON_CA_FILE"):
        chosen["verify"] = authorities
    return chosen


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"the token's file can't be read: {error}") from error
