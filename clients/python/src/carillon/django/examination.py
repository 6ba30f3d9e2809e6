"""Whether a project's connection to Carillon works, step by step, and how to mend what doesn't."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import httpx
from django.conf import settings as project

from .. import calls
from ..client import Client
from ..errors import (
    CarillonError,
    ConfigurationError,
    ForbiddenError,
    RequestError,
    UnauthorizedError,
    UnavailableError,
    UnreachableError,
)
from ..names import channel
from ..settings import Settings, resolve
from ..subscriber import Event, Subscriber
from .tokens import user_token

Status = Literal["ok", "warning", "failed", "skipped"]

LISTEN, GROUPS = "channels:listen", "groups:send"

PROBES = {
    "notifications:send": calls.Call("POST", "/api/notifications/send/", {}),
    "events:publish": calls.Call("POST", "/api/orgs/carillon-check/events/", {}),
    "chat:send": calls.Call("POST", "/api/chat/rooms/carillon-check/messages/", {}),
    "counter:update": calls.Call("POST", "/api/counter/carillon-check/", {}),
}
"""A request for each scope that lacks what it needs: Carillon looks at the scope first, and then does nothing."""

SOON = 14 * 24 * 3600


@dataclass(frozen=True)
class Finding:
    check: str
    status: Status
    detail: str
    mend: str = ""


def examine(origin: str | None = None) -> Iterator[Finding]:
    """Every check, one after the other; what can't be looked at any more is left out."""
    try:
        settings = resolve(attempts=2, deadline=10.0)
    except ConfigurationError as error:
        yield Finding("settings", "failed", str(error), "Correct CARILLON in the settings, or the environment.")
        return
    yield Finding("settings", "ok", f"{settings.url}, {'with' if settings.token else 'without'} a token")
    reached = _reached(settings)
    yield reached
    if reached.status == "failed":
        return
    yield from _service_token(settings)
    yield _front_end(settings)
    yield from _layer(settings)
    if origin is not None:
        yield _origin(settings, origin)


def _reached(settings: Settings) -> Finding:
    with Client(settings.url, settings.token, attempts=2, deadline=10.0, verify=settings.verify) as client:
        try:
            client.request(calls.Call("GET", "/.well-known/jwks.json"))
        except UnreachableError as error:
            mend = "Is Carillon running, and URL its address as this machine sees it? (make run starts one)"
            return Finding("address", "failed", str(error), mend)
        except UnavailableError as error:
            return Finding("address", "failed", str(error), "Carillon runs, and its service auth does not answer.")
        except RequestError as error:
            return Finding("address", "failed", str(error), "What answers there is no Carillon: correct URL.")
    return Finding("address", "ok", "answers, and reaches auth")


def _service_token(settings: Settings) -> Iterator[Finding]:
    make = "Make one: carillon token --service NAME --scopes " + ",".join([*PROBES, LISTEN, GROUPS])
    if not settings.token:
        yield Finding("service token", "failed", "there is none", f'{make}; then set CARILLON["TOKEN"].')
        return
    claims = _claims(settings.token)
    left = float(claims.get("exp", 0)) - time.time()
    if claims and 0 < left < SOON:
        days = f"it expires in {left / 86_400:.1f} days"
        yield Finding("service token", "warning", days, make)
    with Client(settings.url, settings.token, attempts=2, deadline=10.0, verify=settings.verify) as client:
        for scope, probe in PROBES.items():
            finding = _scope(client, scope, probe, make)
            yield finding
            if finding.check == "service token":
                return


def _scope(client: Client, scope: str, probe: calls.Call, make: str) -> Finding:
    try:
        client.request(probe)
    except UnauthorizedError as error:
        return Finding("service token", "failed", str(error), make)
    except ForbiddenError as error:
        return Finding(f"scope {scope}", "warning", str(error), f"If the project needs it: {make}")
    except (UnreachableError, UnavailableError) as error:
        return Finding(f"scope {scope}", "failed", str(error), "The service behind it does not answer.")
    except CarillonError:
        # What was sent is incomplete: that was found out after the token had been looked at.
        pass
    return Finding(f"scope {scope}", "ok", "the token has it")


def _front_end(settings: Settings) -> Finding:
    """Whether a front end's token, signed with the project's key, is taken."""
    mend = (
        "Start the gateways with CARILLON_JWT_SECRET=<this project's SECRET_KEY, or SIMPLE_JWT's SIGNING_KEY> "
        "(or with the key set of the provider that signs the tokens, KEYCLOAK_JWKS_URL)."
    )
    simple = getattr(project, "SIMPLE_JWT", None) or {}
    if not str(simple.get("ALGORITHM", "HS256")).startswith("HS"):
        return Finding("front-end tokens", "skipped", f"they are signed with {simple['ALGORITHM']}")
    try:
        asyncio.run(_connect(settings, user_token("carillon-check", lifetime=60)))
    except CarillonError as error:
        return Finding("front-end tokens", "failed", str(error), mend)
    return Finding("front-end tokens", "ok", "one that is signed with this project's key is taken")


def _layer(settings: Settings) -> Iterator[Finding]:
    layers = getattr(project, "CHANNEL_LAYERS", None) or {}
    if not any(str(layer.get("BACKEND", "")).startswith("carillon.") for layer in layers.values()):
        yield Finding("channel layer", "skipped", "CHANNEL_LAYERS doesn't name Carillon's")
        return
    try:
        seconds = asyncio.run(_round_trip(settings))
    except CarillonError as error:
        mend = f"The service token needs the scopes {LISTEN} and {GROUPS}."
        yield Finding("channel layer", "failed", str(error), mend)
    else:
        yield Finding("channel layer", "ok", f"a message came back in {seconds * 1_000:.0f} ms")


def _origin(settings: Settings, origin: str) -> Finding:
    headers = {
        "origin": origin,
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": base64.b64encode(secrets.token_bytes(16)).decode("ascii"),
    }
    try:
        with (
            httpx.Client(timeout=settings.timeout, verify=settings.verify) as client,
            client.stream("GET", settings.url + "/ws/v1/", headers=headers) as response,
        ):
            status = response.status_code
    except httpx.HTTPError as error:
        return Finding("origin", "failed", f"{origin}: {error}", "The gateway has to be reached for this.")
    if status == 101:
        return Finding("origin", "ok", f"pages of {origin} may connect")
    mend = "Start the gateways with ALLOWED_HOSTS that has the page's host, as Django's."
    return Finding("origin", "failed", f"pages of {origin} may not connect (HTTP {status})", mend)


async def _connect(settings: Settings, token: str) -> None:
    async with Subscriber("everyone", url=settings.url, token=token, verify=settings.verify) as subscriber:
        await _in_time(subscriber.subscribe("everyone"), settings)


async def _round_trip(settings: Settings) -> float:
    group = f"check.{secrets.token_hex(8)}"
    name = channel("group", group)
    async with Subscriber(name, url=settings.url, token=settings.token, verify=settings.verify) as subscriber:
        await _in_time(subscriber.subscribe(name), settings)
        started = time.monotonic()
        with Client(settings.url, settings.token, verify=settings.verify) as client:
            await asyncio.to_thread(client.publish_to_group, group, {"check": True})

        async def heard() -> None:
            async for item in subscriber:
                if isinstance(item, Event):
                    return

        await _in_time(heard(), settings)
        return time.monotonic() - started


async def _in_time(work: Any, settings: Settings) -> None:
    try:
        await asyncio.wait_for(work, settings.deadline)
    except asyncio.TimeoutError:
        raise UnreachableError(f"nothing was heard within {settings.deadline:.0f} seconds") from None


def _claims(token: str) -> dict[str, Any]:
    """What a token says of itself, unverified."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
