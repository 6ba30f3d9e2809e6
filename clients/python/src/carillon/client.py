"""The client for synchronous code."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import httpx

from . import calls
from .attempts import Attempts
from .calls import JSON, Call, Id
from .errors import BatchError, CarillonError
from .publishing import Publishing, merged
from .settings import Settings, resolve

_abandoned: list[httpx.Client] = []
"""Those of the process that this one was forked from: their sockets are its own."""


class Client(Publishing[Any]):
    """Publishes to Carillon. It may be used by any number of threads at once, and made before a fork: every
    process gets connections of its own."""

    def __init__(self, url: str | None = None, token: str | None = None, **settings: Any) -> None:
        self.settings: Settings = resolve(url=url, token=token, **settings)
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None
        self._process = 0

    def request(self, call: Call, *, idempotency_key: str | None = None) -> Any:
        attempts = Attempts(self.settings, call, idempotency_key)
        while True:
            try:
                response = self._pool().request(
                    call.method,
                    self.settings.url + call.path,
                    json=call.body,
                    params=dict(call.query),
                    headers=attempts.headers,
                    timeout=attempts.timeout,
                )
            except httpx.HTTPError as error:
                time.sleep(attempts.failed(error))
                continue
            answer, pause = attempts.answered(response)
            if pause is None:
                return answer
            time.sleep(pause)

    def notify_many(self, user_ids: Iterable[Id], notification: JSON) -> list[Any]:
        """The same notification to any number of users."""
        return self.publish_all(calls.notifications(user_ids, notification))

    def publish_all(self, publications: Iterable[Call]) -> list[Any]:
        """Publishes a batch (`carillon.calls` makes its parts), several at a time, and the same notification to
        many users in one request. Its answers have the batch's order.

        Raises BatchError once all were tried, if some failed. What has to come in order goes one after the other.
        """
        batch = list(publications)
        requests = merged(batch)
        if not requests:
            return []
        with ThreadPoolExecutor(min(self.settings.concurrency, len(requests))) as pool:
            outcomes = list(pool.map(self._outcome, (call for call, _ in requests)))
        return unmerged([places for _, places in requests], outcomes, len(batch))

    def close(self) -> None:
        """Closes its connections. It can be used again afterwards."""
        with self._lock:
            http, self._http = self._http, None
        if http is not None and self._process == os.getpid():
            http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _outcome(self, call: Call) -> Any | CarillonError:
        try:
            return self.request(call)
        except CarillonError as error:
            return error

    def _pool(self) -> httpx.Client:
        http = self._http
        if http is not None and self._process == os.getpid():
            return http
        with self._lock:
            if self._http is None or self._process != os.getpid():
                if self._http is not None:
                    _abandoned.append(self._http)
                limits = httpx.Limits(max_connections=self.settings.connections)
                self._http = httpx.Client(limits=limits, verify=self.settings.verify)
                self._process = os.getpid()
            return self._http


def unmerged(places: list[list[int]], outcomes: list[Any], total: int) -> list[Any]:
    """The answer of each publication of a batch, from those of the requests that stood for them."""
    answers: list[Any] = [None] * total
    for indexes, outcome in zip(places, outcomes, strict=True):
        for index in indexes:
            answers[index] = outcome
    failures = [(index, it) for index, it in enumerate(answers) if isinstance(it, CarillonError)]
    if failures:
        raise BatchError(failures, total)
    return answers
