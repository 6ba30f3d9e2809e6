"""Tokens for front ends, signed with the project's SECRET_KEY: Carillon takes them with that as CARILLON_JWT_SECRET.

A project with SimpleJWT has such tokens already; this is for one with sessions, which gives its pages one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import Any

from django.conf import settings

LIFETIME = 300
"""Seconds."""


def user_token(user: Any, lifetime: int = LIFETIME, **claims: Any) -> str:
    """A token for a user, or for whoever has this id: HS256, with the claims that SimpleJWT's have."""
    now = int(time.time())
    body = {"token_type": "access", "iat": now, "exp": now + lifetime, "jti": secrets.token_hex(16)}
    body[str(_simple_jwt().get("USER_ID_CLAIM", "user_id"))] = getattr(user, "pk", user)
    for name in ("username", "first_name", "last_name"):
        if value := getattr(user, name, None):
            body[name] = str(value)
    return _signed({**body, **claims}, _secret())


def _secret() -> str:
    """SimpleJWT's key, if the project has chosen one, or Django's."""
    return str(_simple_jwt().get("SIGNING_KEY") or settings.SECRET_KEY)


def _simple_jwt() -> dict[str, Any]:
    return getattr(settings, "SIMPLE_JWT", None) or {}


def _signed(claims: dict[str, Any], secret: str) -> str:
    parts = b".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    signature = hmac.new(secret.encode(), parts, hashlib.sha256).digest()
    return (parts + b"." + _encoded(signature)).decode("ascii")


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
