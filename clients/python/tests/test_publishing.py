"""The six functions of the documents and the clients underneath, against a real gateway."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest
from asgiref.sync import async_to_sync

import carillon
import carillon.aio
import carillon.sync
from carillon import AsyncClient, Client, calls
from conftest import front_end
from gateway import Gateway


@pytest.fixture
def client(gateway):
    with Client(gateway.url, gateway.token) as client:
        yield client


async def in_thread(function, *arguments, **named):
    return await asyncio.get_running_loop().run_in_executor(None, lambda: function(*arguments, **named))


class Functions:
    """The six, sync or async, to be called alike."""

    def __init__(self, is_async: bool) -> None:
        self.is_async = is_async

    def __getattr__(self, name):
        if self.is_async:
            return getattr(carillon.aio, name)
        function = getattr(carillon.sync, name)
        return lambda *arguments, **named: in_thread(function, *arguments, **named)


@pytest.fixture(params=["sync", "async"])
def functions(request, configured):
    return Functions(request.param == "async")


async def test_a_notification_reaches_its_user_with_every_field(functions, gateway, unique):
    user = unique("user")
    async with front_end(gateway.websocket, "/ws/notifications/", user) as alice:
        await alice.until("connection.established")
        await functions.broadcast_notification(user, {"title": "Hello", "body": "There", "action_url": "/x"})
        frame = await alice.until("notification")
        assert frame["title"] == "Hello"
        assert frame["notification"]["body"] == "There"
        assert frame["notification"]["action_url"] == "/x"


async def test_document_threes_notification(functions, gateway, unique):
    user = unique("user")
    async with front_end(gateway.websocket, "/ws/notifications/", user, dialect="ticketing") as alice:
        await alice.until("connection_established")
        data = {"id": "custom_1", "notification_type": "general", "title": "System Alert", "message": "Ready!"}
        await functions.send_notification(user_id=user, notification_data=data)
        frame = await alice.until("notification_message")
        assert {name: frame["data"][name] for name in data} == data


async def test_document_twos_notification(functions, gateway, unique):
    user = unique("user")
    async with front_end(gateway.websocket, "/ws/notifications/", user) as alice:
        await alice.until("connection.established")
        await functions.send_user_notification(user_id=user, title="New Order", message="#456", priority="high")
        frame = await alice.until("notification")
        assert (frame["title"], frame["message"], frame["priority"]) == ("New Order", "#456", "high")
        await functions.send_user_notification(user, "Another", "#457")
        assert (await alice.until("notification"))["priority"] == "normal"


async def test_an_event_reaches_the_members_of_its_organisation(functions, gateway, unique):
    org, user = unique("org"), unique("user")
    await in_thread(gateway.organisation, org, user)
    async with front_end(gateway.websocket, f"/ws/events/{org}/", user) as alice:
        await alice.until("connection.established")
        await functions.broadcast_org_event(org, "resource.created", {"resource_id": "res-789"})
        frame = await alice.until("event", event_type="resource.created")
        assert (frame["event_type"], frame["data"]) == ("resource.created", {"resource_id": "res-789"})


async def test_a_chat_message_reaches_the_room(functions, gateway, unique):
    room = unique("room")
    async with front_end(gateway.websocket, f"/ws/chat/{room}/") as alice:
        await functions.send_chat_message(room, "Hello")
        assert (await alice.until("chat_message"))["username"] == "System"
        await functions.send_chat_message(room, "Again", username="Bot")
        assert (await alice.until("chat_message", message="Again"))["username"] == "Bot"


async def test_the_counter_is_updated(functions, gateway):
    async with front_end(gateway.websocket, "/ws/counter/") as alice:
        before = (await alice.until("counter_update"))["counter"]
        await functions.broadcast_counter_update("increment", 5)
        frame = await alice.until("counter_update")
        assert (frame["action"], frame["value"], frame["counter"]) == ("increment", 5, before + 5)


def test_the_sync_functions_do_not_hold_up_an_event_loop(configured):
    async def careless():
        carillon.send_chat_message("general", "Hello")

    with pytest.raises(RuntimeError, match=r"await carillon\.aio\.send_chat_message"):
        asyncio.run(careless())


def test_async_to_sync_uses_the_same_connection_for_every_call(configured, unique):
    """Each call has an event loop of its own; connections don't."""
    from carillon.background import background

    user, loops = unique("user"), set()
    for number in range(5):
        async_to_sync(carillon.broadcast_notification)(user, {"title": "n", "body": str(number)})
        loops.add(id(background.loop()))
    assert len(loops) == 1
    _, client = carillon.default._async
    assert len(client._http._transport._pool.connections) == 1


def test_a_key_makes_a_publication_once(client, unique):
    name = unique("counter")
    for _ in range(3):
        assert client.update_counter("increment", 7, name, idempotency_key="order-1")["counter"] == 7
    assert client.counter(name) == {"name": name, "counter": 7}
    with pytest.raises(carillon.ConflictError):
        client.update_counter("increment", 8, name, idempotency_key="order-1")


def test_what_is_refused_says_why(client, gateway):
    with pytest.raises(carillon.InvalidError, match="Title and message are required"):
        client.notify({"title": "no message"}, user_id=1)
    with pytest.raises(carillon.NotFoundError, match="no such organisation"):
        client.publish_org_event("nowhere", "x", {})
    with pytest.raises(carillon.InvalidError) as invalid:
        client.send_room_message("general", "x" * 1001)
    assert (invalid.value.status, invalid.value.field) == (422, "message")
    assert invalid.value.request_id
    with pytest.raises(carillon.UnauthorizedError):
        Client(gateway.url, "nonsense").send_room_message("general", "x")
    with pytest.raises(carillon.ForbiddenError):
        Client(gateway.url, gateway.service_token("events:publish")).send_room_message("general", "x")
    with pytest.raises(carillon.ConfigurationError, match="one of user_id"):
        client.notify({"title": "t", "message": "m"})


def test_members_are_kept_in_step(client, gateway, unique):
    org = unique("org")
    gateway.organisation(org)
    client.set_members("orgs", org, ["a", "b"])
    client.add_member("orgs", org, "c")
    client.remove_member("orgs", org, "a")
    assert gateway.admin("GET", f"/api/auth/orgs/{org}/members/")["members"] == ["b", "c"]


async def test_a_batch_is_few_requests_and_says_what_failed(gateway, unique):
    users = [unique("user") for _ in range(30)]
    async with (
        AsyncClient(gateway.url, gateway.token) as client,
        front_end(gateway.websocket, "/ws/notifications/", users[7]) as alice,
    ):
        await alice.until("connection.established")
        note = {"title": "Batch", "message": "of many"}
        answers = await client.publish_all([calls.notification(note, user_id=user) for user in users])
        assert len(answers) == 30
        assert answers[0]["recipients"] == 30
        assert (await alice.until("notification"))["title"] == "Batch"
        room = unique("room")
        batch = [
            calls.room_message(room, "fine"),
            calls.org_event("nowhere", "x", {}),
            calls.room_message(room, "x" * 2000),
        ]
        with pytest.raises(carillon.BatchError, match="2 of 3 publications failed") as failed:
            await client.publish_all(batch)
        assert [index for index, _ in failed.value.failures] == [1, 2]
        assert len(await client.notify_many(range(2_500), note)) == 3


def test_a_batch_of_the_sync_client(client, unique):
    name = unique("counter")
    answers = client.publish_all([calls.counter_update("increment", 1, name) for _ in range(40)])
    assert sorted(answer["counter"] for answer in answers) == list(range(1, 41))
    assert client.publish_all([]) == []


def test_a_client_is_shared_by_threads(client, unique):
    name = unique("counter")

    def work():
        for _ in range(20):
            client.update_counter("increment", 1, name)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.counter(name)["counter"] == 160


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_client_made_before_a_fork_works_on_both_sides(configured, unique):
    """As gunicorn with preload and Celery's prefork pool do it: sockets are never shared."""
    name, shared = unique("counter"), carillon.default.client()
    shared.update_counter("increment", 1, name)
    async_to_sync(carillon.broadcast_notification)("forker", {"title": "before", "body": "fork"})
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for _ in range(10):
                    shared.update_counter("increment", 1, name)
                async_to_sync(carillon.broadcast_notification)("forker", {"title": "after", "body": "fork"})
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    for _ in range(10):
        shared.update_counter("increment", 1, name)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert shared.counter(name)["counter"] == 41


def test_a_gateway_that_restarts_is_waited_for(own_gateway: Gateway, unique):
    name = unique("counter")
    with Client(own_gateway.url, own_gateway.token, attempts=100, deadline=60) as client:
        client.update_counter("increment", 1, name)
        own_gateway.kill()
        restarting = threading.Thread(target=own_gateway.start)
        restarting.start()
        assert client.update_counter("increment", 1, name)["counter"] == 2
        restarting.join()
    with Client(own_gateway.url, own_gateway.token, attempts=2, deadline=2) as impatient:
        own_gateway.kill()
        with pytest.raises(carillon.UnreachableError, match="tried 2 times"):
            impatient.counter(name)
