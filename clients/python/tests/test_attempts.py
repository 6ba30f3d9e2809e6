"""What is tried again, seen from a server that answers as it is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

import carillon
from carillon import Client
from carillon.attempts import retry_after
from carillon.settings import resolve


@contextmanager
def answering(*answers: httpx.Response | Exception) -> Iterator[tuple[Client, list[httpx.Request]]]:
    """A client whose requests get these answers, one after the other."""
    left, seen = list(answers), []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        now = left.pop(0)
        if isinstance(now, Exception):
            raise now
        return now

    client = Client("http://carillon.test", "secret", deadline=3)
    client._http = httpx.Client(transport=httpx.MockTransport(answer))
    client._process = __import__("os").getpid()
    with client:
        yield client, seen


def ok() -> httpx.Response:
    return httpx.Response(200, json={"counter": 1})


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_go_well_later_is_tried_again_under_the_same_key(status):
    with answering(httpx.Response(status, json={"title": "not now"}), httpx.ReadTimeout("late"), ok()) as (
        client,
        seen,
    ):
        assert client.update_counter("increment", 1) == {"counter": 1}
        keys = {request.headers["idempotency-key"] for request in seen}
        assert (len(seen), len(keys)) == (3, 1)


def test_two_publications_have_two_keys():
    with answering(ok(), ok()) as (client, seen):
        client.update_counter("increment", 1)
        client.update_counter("increment", 1)
        assert len({request.headers["idempotency-key"] for request in seen}) == 2


def test_a_refusal_is_not_tried_again():
    problem = {"title": "Forbidden", "status": 403, "detail": "the token lacks the scope chat:send"}
    with answering(httpx.Response(403, json=problem)) as (client, seen):
        with pytest.raises(carillon.ForbiddenError, match="lacks the scope"):
            client.send_room_message("general", "x")
        assert len(seen) == 1


def test_retry_after_is_obeyed():
    with answering(httpx.Response(429, headers={"retry-after": "1"}), ok()) as (client, _):
        started = time.monotonic()
        client.counter()
        assert time.monotonic() - started >= 1


def test_what_would_be_too_late_is_not_waited_for():
    with answering(httpx.Response(503, headers={"retry-after": "3600"})) as (client, seen):
        with pytest.raises(carillon.UnavailableError) as away:
            client.counter()
        assert (away.value.retry_after, len(seen)) == (3600.0, 1)


def test_attempts_end():
    with answering(*[httpx.ConnectError("refused")] * 4) as (client, seen):
        with pytest.raises(carillon.UnreachableError, match="tried 4 times: refused"):
            client.counter()
        assert len(seen) == 4


def test_what_is_no_carillon_is_noticed():
    with (
        answering(httpx.Response(200, text="<html>")) as (client, _),
        pytest.raises(carillon.RequestError, match="no JSON"),
    ):
        client.counter()


def test_retry_after_as_a_date():
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after("soon") is None


def test_settings_come_from_arguments_then_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("CARILLON_URL", "https://carillon.example/")
    (tmp_path / "token").write_text("of a file\n")
    monkeypatch.setenv("CARILLON_TOKEN_FILE", str(tmp_path / "token"))
    settings = resolve()
    assert (settings.url, settings.token) == ("https://carillon.example", "of a file")
    assert settings.websocket_url == "wss://carillon.example/ws/v1/"
    assert "of a file" not in repr(settings)
    assert resolve(token="given").token == "given"
    with pytest.raises(carillon.ConfigurationError, match="http://"):
        resolve(url="carillon.example")
    with pytest.raises(carillon.ConfigurationError, match="no such setting: tokens"):
        resolve(tokens="x")
    monkeypatch.setenv("CARILLON_TIMEOUT", "soon")
    with pytest.raises(carillon.ConfigurationError, match="CARILLON_TIMEOUT"):
        resolve()
