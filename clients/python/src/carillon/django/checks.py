"""What `manage.py check` says of the settings, without a network."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from ..errors import ConfigurationError
from ..settings import resolve

CLIENTS = {"URL", "TOKEN", "TOKEN_FILE", "TIMEOUT", "ATTEMPTS", "DEADLINE", "CONNECTIONS", "CONCURRENCY", "VERIFY"}
"""What every client has."""

KNOWN = frozenset(CLIENTS | {"RAISE", "CELERY", "MEMBERS"})


def check_settings(**_: Any) -> list[CheckMessage]:
    """Whether CARILLON can be right."""
    own = getattr(settings, "CARILLON", {}) or {}
    try:
        resolved = resolve()
    except ConfigurationError as error:
        return [Error(str(error), id="carillon.E001")]
    found: list[CheckMessage] = []
    unknown = sorted(set(own) - KNOWN)
    if unknown:
        hint = f"There are {', '.join(sorted(KNOWN))}."
        found.append(Error(f"CARILLON has settings that there are not: {', '.join(unknown)}", hint, id="carillon.E002"))
    if not resolved.token:
        hint = 'Set CARILLON["TOKEN"] or CARILLON_TOKEN to a service token: carillon token --service NAME --scopes …'
        found.append(Warning("Carillon has no token: only what anyone may is possible", hint, id="carillon.W001"))
    return found
