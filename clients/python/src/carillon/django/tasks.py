"""Publishing in a Celery worker: `CARILLON = {…, "CELERY": True}` has signals do that, and `publish.delay(…)` anyone.

A task that is repeated publishes once: its keys are its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .. import default
from ..calls import Call
from ..errors import UnavailableError, UnreachableError
from ..settings import django_settings

if TYPE_CHECKING:
    from celery import Task

LONGEST_PAUSE = 600
"""Seconds between two attempts of a task, at most."""


def publishes_in_celery() -> bool:
    """Whether the settings say so."""
    return bool(django_settings().get("CELERY"))


def publish_later(batch: Iterable[Call]) -> None:
    """Has a worker publish these, one task each."""
    for call in batch:
        publish.delay(call.method, call.path, dict(call.body or {}), str(uuid.uuid4()))


try:
    from celery import shared_task
except ImportError:  # pragma: no cover - without Celery there is no task, and whoever wants one is told.

    class _Absent:
        def delay(self, *_: Any) -> None:
            raise RuntimeError('CARILLON["CELERY"] needs Celery: pip install "carillon[celery]"')

    publish: Any = _Absent()
else:

    @shared_task(bind=True, name="carillon.publish", max_retries=20, acks_late=True)
    def publish(self: Task[Any, Any], method: str, path: str, body: Mapping[str, Any], key: str) -> Any:
        """Publishes one call under this key, again while Carillon is away."""
        try:
            return default.client().request(Call(method, path, body), idempotency_key=key)
        except (UnreachableError, UnavailableError) as error:
            wait = getattr(error, "retry_after", None) or min(LONGEST_PAUSE, 2**self.request.retries)
            raise self.retry(exc=error, countdown=wait) from error
