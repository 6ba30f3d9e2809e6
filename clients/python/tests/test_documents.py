"""The documents' Python, as it stands there (tests/documents has copies), and the README's."""

from __future__ import annotations

import ast
import asyncio
import datetime
import os
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from conftest import front_end
from documentation import CLIENT, REPOSITORY, block, blocks
from gateway import Gateway, user_token

DOCUMENTS = Path(__file__).parent / "documents"
README = CLIENT / "README.md"


@pytest.fixture
async def configured(gateway: Gateway, settings):
    settings.CARILLON = {"URL": gateway.url, "TOKEN": gateway.token, "RAISE": True}
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "carillon.channels.CarillonChannelLayer"}}
    yield gateway
    await get_channel_layer().close()


def executed(code: str, **names) -> dict:
    """What a snippet leaves behind."""
    names = {"__name__": f"snippet_{len(code)}", **names}
    exec(compile(code, "snippet", "exec"), names)
    return names


async def execute_async(code: str, **names) -> dict:
    """The same for one that awaits at the top."""
    compiled = compile(code, "snippet", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    awaited = eval(compiled, names)
    if awaited is not None:
        await awaited
    return names


def document(name: str) -> str:
    return (DOCUMENTS / f"{name}.py").read_text(encoding="utf-8")


async def in_thread(function, *arguments, **named):
    return await asyncio.get_running_loop().run_in_executor(None, lambda: function(*arguments, **named))


@pytest.fixture(scope="session")
def members(gateway: Gateway):
    """The organisation of document 1."""
    gateway.organisation("org-456", "user-123", "user-789")


@pytest.mark.parametrize("name", ["1-async", "1-sync"])
async def test_document_ones_broadcasts(configured, members, name):
    async with (
        front_end(configured.websocket, "/ws/notifications/", "user-123") as bell,
        front_end(configured.websocket, "/ws/events/org-456/", "user-123") as events,
    ):
        await asyncio.gather(bell.until("connection.established"), events.until("connection.established"))
        if name == "1-async":
            await execute_async(document(name))
        else:
            await in_thread(executed, document(name))
        title = "Hello" if name == "1-async" else "Task Complete"
        assert (await bell.until("notification"))["notification"]["title"] == title
        event_type = "resource.created" if name == "1-async" else "task.completed"
        assert (await events.until("event", event_type=event_type))["data"]


@pytest.mark.django_db(transaction=True)
async def test_document_ones_signal(configured, members):
    from api.models import SampleResource

    async with front_end(configured.websocket, "/ws/events/org-456/", "user-123") as events:
        await events.until("connection.established")
        names = executed(document("1-signals"))
        assert names["resource_saved"]
        made = await sync_to_async(SampleResource.objects.create)(org_id="org-456")
        frame = await events.until("event", event_type="resource.created")
        assert frame["data"] == {"resource_id": str(made.id)}


async def test_document_ones_task(configured):
    async with front_end(configured.websocket, "/ws/notifications/", "user-123") as bell:
        await bell.until("connection.established")
        task = executed(document("1-celery"))["export_data"]
        await in_thread(task, "user-123", "/downloads/export.csv")
        assert (await bell.until("notification"))["notification"]["action_url"] == "/downloads/export.csv"


async def test_document_ones_shell(configured):
    code = document("1-shell").removeprefix("python manage.py shell\n")
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("test_group", channel)
    await in_thread(executed, code)
    assert await asyncio.wait_for(layer.receive(channel), 30) == {"type": "test.message", "text": "Hello"}


async def test_document_twos_chat_message(configured):
    async with front_end(configured.websocket, "/ws/chat/general/") as chat:
        # The document forgets this import.
        send = executed(document("2-chat"), datetime=datetime.datetime)["send_chat_message"]
        await in_thread(send, "general", "From the document")
        assert (await chat.until("chat_message", message="From the document"))["username"] == "System"


async def test_document_twos_notification(configured):
    async with front_end(configured.websocket, "/ws/notifications/", 123) as bell:
        await bell.until("connection.established")
        await in_thread(executed, document("2-notification"))
        frame = await bell.until("notification")
        assert (frame["title"], frame["priority"]) == ("New Order", "high")


async def test_document_twos_counter(configured):
    async with front_end(configured.websocket, "/ws/counter/") as counter:
        from asgiref.sync import async_to_sync

        own = {"get_channel_layer": get_channel_layer, "async_to_sync": async_to_sync, "datetime": datetime}
        update = executed(document("2-counter"), **own)["broadcast_counter_update"]
        await in_thread(update, "increment", 3)
        assert (await counter.until("counter_update", action="increment"))["value"] == 3


async def test_document_threes_notification(configured):
    async with front_end(configured.websocket, "/ws/notifications/", 123, dialect="ticketing") as bell:
        await bell.until("connection_established")
        await in_thread(executed, document("3-notification"))
        told = (await bell.until("notification_message"))["data"]
        assert (told["id"], told["title"]) == ("custom_notification_1", "System Alert")


async def test_document_threes_shell(configured):
    async with front_end(configured.websocket, "/ws/notifications/", 1, dialect="ticketing") as bell:
        await bell.until("connection_established")
        await in_thread(executed, document("3-shell"))
        told = (await bell.until("notification_message"))["data"]
        assert (told["id"], told["message"]) == ("test", "Hello from Django!")


@pytest.mark.django_db(transaction=True)
async def test_document_threes_ticket(configured):
    from tickets.models import Ticket

    configured.project(456, "bob")
    async with (
        front_end(configured.websocket, "/ws/projects/456/tickets/", "bob") as board,
        front_end(configured.websocket, "/ws/notifications/", "bob") as bell,
    ):
        await asyncio.gather(board.until("connection_established"), bell.until("connection.established"))
        values = {"id": 123, "project": 456, "title": "Fix login bug", "status": "Open", "assignee": "bob"}
        await sync_to_async(Ticket.objects.create)(**values)
        assert (await board.until("ticket_update"))["action"] == "created"
        assert (await bell.until("notification"))["title"] == "Ticket Assigned"
        await sync_to_async(executed)(document("3-ticket"), Ticket=Ticket, new_status="Closed")
        frame = await board.until("ticket_update", action="updated")
        assert frame["data"]["status"]["name"] == "Closed"


def python(containing: str) -> str:
    """One of the README's."""
    return block(README, "python", containing)


async def test_the_readmes_settings_are_settings(configured, monkeypatch):
    monkeypatch.setenv("CARILLON_TOKEN", "a token")
    names = executed(python("# settings.py"), os=os, INSTALLED_APPS=[])
    assert names["INSTALLED_APPS"] == ["carillon.django"]
    assert names["CARILLON"] == {"URL": "http://127.0.0.1:8000", "TOKEN": "a token"}


@pytest.mark.django_db(transaction=True)
async def test_the_readmes_model_is_told(configured, members):
    from django.db import connection

    order = executed(python("# shop/models.py"), __name__="shop.models")["Order"]

    def create():
        with connection.schema_editor() as editor:
            editor.create_model(order)
        order.objects.create(org="org-456", number=456, total="9.50")

    async with front_end(configured.websocket, "/ws/events/org-456/", "user-123") as events:
        await events.until("connection.established")
        await sync_to_async(create)()
        frame = await events.until("event", event_type="order.created")
        assert (frame["data"]["number"], frame["data"]["total"]) == (456, "9.50")


async def test_the_readmes_functions(configured, members):
    async with (
        front_end(configured.websocket, "/ws/notifications/", "user-123") as first,
        front_end(configured.websocket, "/ws/notifications/", 123) as second,
    ):
        await asyncio.gather(first.until("connection.established"), second.until("connection.established"))
        await executed(python("async def view"))["view"](None)
        assert (await first.until("notification"))["title"] == "Hello"
        await in_thread(executed, python("send_user_notification(user_id=123"))
        assert (await second.until("notification"))["title"] == "New Order"
        assert (await second.until("notification"))["title"] == "Ready"


async def test_the_readmes_client(configured):
    configured.project(1_001)
    code = python("client.notify_many").replace("http://127.0.0.1:8000", configured.url)
    # Project 1 is the demo's.
    async with front_end(configured.websocket, "/ws/chat/general/") as chat:
        await in_thread(executed, code, token=configured.token)
        assert await chat.until("chat_message", message="Hello")
        assert await chat.until("chat_message", message="Counted")


async def test_the_readmes_subscriber(configured, capsys):
    code = python("async with Subscriber").replace("http://127.0.0.1:8000", configured.url)
    listening = asyncio.create_task(executed(code, token=user_token("reader"))["listen"]())
    seen = ""
    from carillon import AsyncClient

    async with AsyncClient() as client:
        while "is heard" not in seen:
            await client.send_room_message("general", "is heard")
            seen += capsys.readouterr().out
    listening.cancel()
    assert "room.general {" in seen


@pytest.mark.django_db(transaction=True)
async def test_the_readmes_signals(configured, members):
    from shop.models import Comment, Resource

    names = executed(python("def comment_event"))
    names["register"](
        type("Unused", (Comment,), {"Meta": type("Meta", (), {"proxy": True}), "__module__": "shop.models"})
    )
    assert names["comment_event"](Resource(org="org-456", pk=3), "created").body["data"] == {"comment_id": 3}
    async with front_end(configured.websocket, "/ws/notifications/", "buyer") as bell:
        await bell.until("connection.established")
        order = type("Order", (), {"buyer": "buyer"})
        await sync_to_async(names["finish"])(order)
        assert (await bell.until("notification"))["title"] == "Done"


def test_the_readmes_task_is_the_documents():
    assert executed(python("@shared_task"))["export_data"]


def test_the_front_page_has_the_same_ten_lines():
    for name in ("# settings.py", "# shop/models.py"):
        assert block(REPOSITORY / "README.md", "python", name) == python(name)


def test_no_snippet_of_the_readme_is_left_out():
    assert len(blocks(README, "python")) == 8
