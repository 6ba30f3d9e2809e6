"""What can go wrong, by what a caller can do about it."""

from __future__ import annotations

from collections.abc import Sequence


class CarillonError(Exception):
    """Anything that this package raises by itself."""


class ConfigurationError(CarillonError):
    """A setting is missing or can't be right; the message says which, and what to write."""


class ChannelRefusedError(CarillonError):
    """Carillon does not let this token listen to a channel, and trying again is in vain."""

    def __init__(self, channel: str, code: str, message: str) -> None:
        super().__init__(f"{channel}: {message} ({code})")
        self.channel = channel
        self.code = code
        self.message = message


class ConnectionClosedError(CarillonError):
    """A subscriber's connection was closed with a code after which coming back is in vain."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"closed with {code}: {reason or 'no reason given'}")
        self.code = code
        self.reason = reason


class UnreachableError(CarillonError):
    """Carillon did not answer, not even when asked again. Whether the last attempt had an effect is not known."""


class RequestError(CarillonError):
    """Carillon answered, and did not do it."""

    def __init__(self, status: int, message: str, *, field: str | None = None, request_id: str | None = None) -> None:
        named = f" ({field})" if field else ""
        super().__init__(f"{status}: {message}{named}")
        self.status = status
        self.message = message
        self.field = field
        self.request_id = request_id


class UnauthorizedError(RequestError):
    """401: there is no token, or it is not valid, has expired or was revoked."""


class ForbiddenError(RequestError):
    """403: the token lacks the scope for this."""


class NotFoundError(RequestError):
    """404: there is no such organisation, conversation, project or address."""


class ConflictError(RequestError):
    """409: the Idempotency-Key was used for something else, or the change can't be made."""


class InvalidError(RequestError):
    """400, 413 or 422: what was sent is not what the route takes; `field` names the part, if it is one."""


class UnavailableError(RequestError):
    """429, 502, 503 or 504, also when asked again: later it may work."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        field: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(status, message, field=field, request_id=request_id)
        self.retry_after = retry_after


class BatchError(CarillonError):
    """Some publications of a batch failed; the others are published."""

    def __init__(self, failures: Sequence[tuple[int, CarillonError]], total: int) -> None:
        index, first = failures[0]
        super().__init__(f"{len(failures)} of {total} publications failed; the first, number {index}: {first}")
        self.failures = list(failures)
        self.total = total
