"""Publishing in Celery: document 1's task, eagerly and in a worker, and this package's own task."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import async_to_sync
from celery import Celery, shared_task
from celery.contrib.testing.worker import start_worker

from carillon import broadcast_notification, calls
from carillon.django import signals
from carillon.django.signals import publish_on_commit
from carillon.django.tasks import publish, publish_later
from conftest import front_end
from shop.models import Comment

application = Celery("tests", broker="memory://", backend="cache+memory://")
application.conf.update(worker_hijack_root_logger=False, broker_connection_retry_on_startup=True)
application.set_default()


@shared_task
def export_data(user_id, file_path):
    async_to_sync(broadcast_notification)(
        user_id, {"title": "Export Complete", "body": "Your data export is ready", "action_url": file_path}
    )


@pytest.fixture
def configured(gateway, settings):
    settings.CARILLON = {"URL": gateway.url, "TOKEN": gateway.token, "RAISE": True, "CELERY": True}
    return gateway


@pytest.fixture(params=["eager", "worker"])
def celery(request):
    if request.param == "eager":
        application.conf.task_always_eager = True
        yield
        application.conf.task_always_eager = False
        return
    with start_worker(application, perform_ping_check=False, pool="threads", concurrency=2):
        yield


async def called(function, *arguments):
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)


async def test_document_ones_task(celery, configured, unique):
    user = unique("user")
    async with front_end(configured.websocket, "/ws/notifications/", user) as alice:
        await alice.until("connection.established")
        await called(export_data.delay, user, "/downloads/export.csv")
        frame = await alice.until("notification")
        assert frame["notification"]["action_url"] == "/downloads/export.csv"


@pytest.mark.django_db(transaction=True)
async def test_signals_publish_in_a_worker(celery, configured, unique):
    from asgiref.sync import sync_to_async

    room = unique("room")
    async with front_end(configured.websocket, f"/ws/chat/{room}/") as alice:
        await sync_to_async(Comment.objects.create)(room=room, text="by a worker")
        assert (await alice.until("chat_message"))["message"] == "created: by a worker"
        await sync_to_async(publish_on_commit)(calls.room_message(room, "and this"))
        assert (await alice.until("chat_message"))["message"] == "and this"


def test_a_task_that_is_repeated_publishes_once(configured, unique):
    name = unique("counter")
    arguments = ("POST", f"/api/counter/{name}/", {"action": "increment", "value": 3}, unique("key"))
    for _ in range(3):
        assert publish.apply(arguments).get()["counter"] == 3


def test_a_task_comes_again_while_carillon_is_away(settings, monkeypatch):
    settings.CARILLON = {"URL": "http://127.0.0.1:9", "TOKEN": "x", "ATTEMPTS": 1, "CELERY": True}
    pauses = []
    real = publish.retry

    def retry(*arguments, countdown, **named):
        pauses.append(countdown)
        return real(*arguments, countdown=0, max_retries=2, **named)

    monkeypatch.setattr(publish, "retry", retry)
    outcome = publish.apply(("POST", "/api/counter/x/", {}, "key"))
    assert outcome.failed()
    assert pauses == [1, 2, 4]


def test_a_broker_that_is_away_does_not_undo_what_happened(settings, monkeypatch, caplog):
    def away(*_):
        raise ConnectionError("no broker")

    settings.CARILLON = {"TOKEN": "x", "CELERY": True}
    monkeypatch.setattr(publish, "delay", away)
    with caplog.at_level("ERROR", "carillon.django"):
        signals._publish([calls.counter_update("increment", 1)])
    assert "could not be told: no broker" in caplog.text


@pytest.mark.parametrize("celery", ["eager"], indirect=True)
def test_each_call_is_a_task_of_its_own(celery, configured, unique):
    name = unique("counter")
    publish_later([calls.counter_update("increment", 1, name)] * 3)
    from carillon import Client

    with Client() as client:
        assert client.counter(name)["counter"] == 3
