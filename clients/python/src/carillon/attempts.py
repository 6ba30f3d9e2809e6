"""When something is tried again, and when: the same for the sync and the async client."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from .calls import Call
from .errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RequestError,
    UnauthorizedError,
    UnavailableError,
    UnreachableError,
)
from .settings import Settings

LATER = frozenset({429, 502, 503, 504})
"""Answers that another time may be different."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0

_KINDS: dict[int, type[RequestError]] = {
    400: InvalidError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: InvalidError,
    422: InvalidError,
}


def pause_before(attempt: int) -> float:
    """Exponential backoff with full jitter, before attempt 1, 2, …"""
    return random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempt, 16)))  # noqa: S311


@dataclass
class Attempts:
    """The attempts at one call. A publication has an Idempotency-Key, the same in each, so that it is made once."""

    settings: Settings
    call: Call
    key: str | None = None
    made: int = 0
    until: float = field(init=False)

    def __post_init__(self) -> None:
        self.until = time.monotonic() + self.settings.deadline
        if self.key is None and self.call.is_publication:
            self.key = str(uuid.uuid4())

    @property
    def headers(self) -> dict[str, str]:
        headers = {"accept": "application/json"}
        if self.settings.token:
            headers["authorization"] = f"Bearer {self.settings.token}"
        if self.key is not None:
            headers["idempotency-key"] = self.key
        return headers

    @property
    def timeout(self) -> float:
        """Seconds that the next attempt may take."""
        return max(0.05, min(self.settings.timeout, self.until - time.monotonic()))

    def answered(self, response: httpx.Response) -> tuple[Any, float | None]:
        """The answer's content, or in how many seconds to try again.

        Raises the error that the answer is.
        """
        self.made += 1
        if response.is_success:
            return (content(response), None)
        error = refusal(response)
        wait = error.retry_after if isinstance(error, UnavailableError) else None
        pause = self._pause(wait) if response.status_code in LATER else None
        if pause is None:
            raise error
        return (None, pause)

    def failed(self, error: httpx.HTTPError) -> float:
        """In how many seconds to try again what got no answer. Raises if that is in vain."""
        self.made += 1
        pause = self._pause(None) if isinstance(error, httpx.TransportError) else None
        if pause is None:
            reason = str(error) or type(error).__name__
            where = f"{self.settings.url} does not answer {self.call.method} {self.call.path}"
            raise UnreachableError(f"{where}, tried {self.made} times: {reason}") from error
        return pause

    def _pause(self, wanted: float | None) -> float | None:
        pause = max(pause_before(self.made), wanted or 0.0)
        if self.made >= self.settings.attempts or time.monotonic() + pause > self.until:
            return None
        return pause


def content(response: httpx.Response) -> Any:
    """The JSON of a good answer, or None where there is none."""
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError as error:
        what = "the answer is no JSON: is this address Carillon's?"
        raise RequestError(response.status_code, what) from error


def refusal(response: httpx.Response) -> RequestError:
    """The error that an answer is: a problem body (RFC 9457), or document 2's."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    body = body if isinstance(body, Mapping) else {}
    message = body.get("detail") or body.get("message") or body.get("title") or response.reason_phrase
    request_id = response.headers.get("x-request-id")
    if response.status_code in LATER:
        wait = retry_after(response.headers.get("retry-after"))
        return UnavailableError(response.status_code, str(message), request_id=request_id, retry_after=wait)
    kind = _KINDS.get(response.status_code, RequestError)
    return kind(response.status_code, str(message), field=body.get("field"), request_id=request_id)


def retry_after(header: str | None) -> float | None:
    """Seconds, which the header says as such or as a date."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
