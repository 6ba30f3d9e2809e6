"""The subscriber against a real gateway, and against one that says what it is told to."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import serve

import carillon
from carillon import AsyncClient, Ended, Event, Gap, Recovered, Subscribed, Subscriber
from conftest import front_end
from gateway import Gateway, user_token


async def first(subscriber: Subscriber, kind: type, **members: object):
    """The next item of a kind with these members, and those that came before it."""
    before = []

    async def look():
        async for item in subscriber:
            if isinstance(item, kind) and all(getattr(item, name) == it for name, it in members.items()):
                return item
            before.append(item)

    return await asyncio.wait_for(look(), 30), before


@pytest.fixture
async def client(gateway):
    async with AsyncClient(gateway.url, gateway.token) as client:
        yield client


async def test_a_user_hears_its_channels_in_order(gateway, client, unique):
    user, room = unique("user"), unique("room")
    own, chat = carillon.channel("user", user), carillon.channel("room", room)
    async with Subscriber(own, chat, url=gateway.url, token=user_token(user)) as subscriber:
        await asyncio.gather(subscriber.subscribe(own), subscriber.subscribe(chat))
        for number in range(20):
            await client.send_room_message(room, str(number))
        await client.notify({"title": "t", "message": "m"}, user_id=user)
        seen = []
        while len(seen) < 20:
            event, _ = await first(subscriber, Event, channel=chat)
            if event.data["type"] == "chat_message":
                seen.append(event.data["message"])
        assert seen == [str(number) for number in range(20)]
        note, _ = await first(subscriber, Event, channel=own)
        assert (note.data["title"], note.place) == ("t", subscriber.place(own))


async def test_it_publishes_and_asks(gateway, unique):
    user, room = unique("user"), carillon.channel("room", unique("room"))
    async with Subscriber(room, url=gateway.url, token=user_token(user)) as subscriber:
        await subscriber.subscribe(room)
        said = {"type": "chat_message", "message": "Hello", "client_id": "a"}
        assert (await subscriber.publish(room, said))[0]["type"] == "message_ack"
        assert [member["user_id"] for member in (await subscriber.presence(room))["members"]] == [user]
        messages = [event["data"] for event in (await subscriber.history(room))["events"]]
        assert "Hello" in [message.get("message") for message in messages]
        with pytest.raises(carillon.ChannelRefusedError, match="not_subscribed"):
            await subscriber.publish("counter.global", {})


async def test_a_channel_that_it_may_not_hear_is_refused_alone(gateway, client, unique):
    user = unique("user")
    own = carillon.channel("user", user)
    async with Subscriber(own, "user.somebody", url=gateway.url, token=user_token(user)) as subscriber:
        ended, _ = await first(subscriber, Ended)
        assert (ended.channel, ended.code) == ("user.somebody", "denied")
        with pytest.raises(carillon.ChannelRefusedError, match="denied"):
            await subscriber.subscribe("user.another")
        await subscriber.subscribe(own)
        await client.notify({"title": "t", "message": "m"}, user_id=user)
        assert (await first(subscriber, Event, channel=own))[0].data["type"] != "error"
        await subscriber.unsubscribe(own)
        assert subscriber.place(own) is None


async def test_what_is_missed_while_the_gateway_is_dead_comes_afterwards_once(own_gateway, unique):
    room = unique("room")
    channel = carillon.channel("room", room)
    async with (
        AsyncClient(own_gateway.url, own_gateway.token, attempts=100, deadline=60) as client,
        Subscriber(channel, url=own_gateway.url, token=user_token("listener")) as subscriber,
    ):
        await subscriber.subscribe(channel)
        await client.send_room_message(room, "before")
        event, _ = await first(subscriber, Event)
        while event.data.get("message") != "before":
            event, _ = await first(subscriber, Event)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, own_gateway.kill)
        await loop.run_in_executor(None, own_gateway.start)
        for number in range(5):
            await client.send_room_message(room, f"after {number}")
        messages = []
        while len(messages) < 5:
            event, before = await first(subscriber, Event)
            assert not any(isinstance(item, Gap) for item in before)
            if event.data["type"] == "chat_message":
                messages.append(event.data["message"])
        assert messages == [f"after {number}" for number in range(5)]


async def test_since_resumes_where_another_process_was(gateway, client, unique):
    name = unique("counter")
    channel = carillon.channel("counter", name)
    places = [f"{(await client.update_counter('increment', 1, name))['offset']}" for _ in range(3)]
    async with Subscriber(channel, url=gateway.url, token=gateway.token) as subscriber:
        subscribed, _ = await first(subscriber, Subscribed)
        epoch = subscribed.place.split(".")[0]
    assert subscribed.place == f"{epoch}.{places[-1]}"
    since = {channel: f"{epoch}.{places[0]}"}
    async with Subscriber(channel, url=gateway.url, token=gateway.token, since=since) as subscriber:
        recovered, _ = await first(subscriber, Recovered)
        assert recovered.missed == 2
        assert [(await first(subscriber, Event))[0].data["counter"] for _ in range(2)] == [2, 3]


async def test_a_gap_is_told(gateway, unique):
    channel = carillon.channel("counter", unique("counter"))
    since = {channel: "another.17"}
    async with Subscriber(channel, url=gateway.url, token=gateway.token, since=since) as subscriber:
        gap, before = await first(subscriber, Gap)
        assert (gap.since, before) == ("another.17", [])
        async with AsyncClient(gateway.url, gateway.token) as client:
            await client.update_counter("increment", 1, channel.removeprefix("counter."))
        assert (await first(subscriber, Event))[0].data["counter"] == 1


async def test_a_back_end_listens_to_what_is_others_and_is_present_nowhere(gateway, client, unique):
    """The scope channels:listen: any channel, and nobody sees it come."""
    user, room, org = unique("user"), unique("room"), unique("org")
    gateway.organisation(org, user)
    channels = [carillon.channel("user", user), carillon.channel("room", room), carillon.channel("org", org)]
    async with front_end(gateway.websocket, f"/ws/chat/{room}/", user, since="") as alice:
        await alice.until("connected")
        async with Subscriber(*channels, url=gateway.url, token=gateway.token) as subscriber:
            await asyncio.gather(*(subscriber.subscribe(channel) for channel in channels))
            await alice.send({"type": "chat_message", "message": "Hello"})
            # Alice would have been told of a newcomer before her own message.
            assert (await alice.frame())["type"] == "chat_message"
            await client.notify({"title": "t", "message": "m"}, user_id=user)
            await client.publish_org_event(org, "resource.created", {})
            heard = set()
            while heard < set(channels):
                heard.add((await first(subscriber, Event))[0].channel)
            with pytest.raises(carillon.ChannelRefusedError, match="over HTTP"):
                await subscriber.publish(channels[1], {"type": "chat_message", "message": "x"})


@pytest.mark.parametrize("channel", ["access", "room.12", "nothing.x", "document.x", "group.a.b"])
async def test_what_is_no_channel_for_back_ends(gateway, channel):
    async with Subscriber(url=gateway.url, token=gateway.token) as subscriber:
        with pytest.raises(carillon.ChannelRefusedError):
            await subscriber.subscribe(channel)


async def test_a_back_end_without_the_scope_is_not_let_in(gateway):
    token = gateway.service_token("chat:send")
    async with Subscriber("everyone", url=gateway.url, token=token) as subscriber:
        with pytest.raises(carillon.ConnectionClosedError) as closed:
            async for _ in subscriber:
                pass
        assert closed.value.code == 4503


async def test_groups_are_of_back_ends_alone(gateway, client, unique):
    group = unique("group")
    channel = carillon.channel("group", group)
    async with Subscriber(url=gateway.url, token=user_token("mallory")) as mallory:
        with pytest.raises(carillon.ChannelRefusedError, match="unknown_channel"):
            await mallory.subscribe(channel)
    with pytest.raises(carillon.ForbiddenError):
        async with AsyncClient(gateway.url, user_token("mallory")) as user:
            await user.publish_to_group(group, {"a": 1})
    async with Subscriber(channel, url=gateway.url, token=gateway.token) as subscriber:
        await subscriber.subscribe(channel)
        answer = await client.publish_to_group(group, {"a": 1}, idempotency_key="k")
        assert answer == {"channel": channel, "offset": 1}
        assert await client.publish_to_group(group, {"a": 1}, idempotency_key="k") == answer
        with pytest.raises(carillon.ConflictError):
            await client.publish_to_group(group, {"a": 2}, idempotency_key="k")
        assert (await first(subscriber, Event))[0].data == {"a": 1}


async def test_a_back_end_may_have_more_channels_than_a_client(gateway, unique):
    channels = [carillon.channel("group", unique("group")) for _ in range(300)]
    async with Subscriber(*channels, url=gateway.url, token=gateway.token) as subscriber:
        await asyncio.gather(*(subscriber.subscribe(channel) for channel in channels))


async def test_limits_are_for_clients_and_not_for_back_ends(tmp_path, unique):
    """In production a client may send 60 messages a minute, and have 100 subscriptions."""
    loop = asyncio.get_running_loop()
    gateway = await loop.run_in_executor(None, lambda: Gateway(tmp_path, "--mode", "production"))
    channels = [carillon.channel("group", unique("group")) for _ in range(150)]
    async with Subscriber(*channels, url=gateway.url, token=gateway.token) as subscriber:
        await asyncio.wait_for(asyncio.gather(*(subscriber.subscribe(channel) for channel in channels)), 60)
    async with Subscriber(*channels[:61], url=gateway.url, token=user_token("mallory")) as subscriber:
        ended, _ = await first(subscriber, Ended)
        assert ended.code == "unknown_channel"
    await loop.run_in_executor(None, gateway.stop)


@asynccontextmanager
async def scripted(*connections):
    """A gateway of which each connection is one of these functions."""
    left, times = list(connections), []

    async def handle(socket):
        times.append(time.monotonic())
        await socket.send(
            json.dumps({"type": "connected", "protocol": "carillon.v1", "connection": "x", "user_id": None})
        )
        await left.pop(0)(socket)

    async with serve(handle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", times


async def accept(socket, offset=0):
    request = json.loads(await socket.recv())
    reply = {"id": request["id"], "type": "subscribed", "channel": request["channel"], "epoch": "e", "offset": offset}
    await socket.send(json.dumps(reply))
    return request


async def test_it_comes_back_when_the_gateway_says_so():
    async def goes(socket):
        await accept(socket)
        await socket.send(json.dumps({"type": "reconnect", "after_ms": 700}))
        await socket.close(1012)

    async def stays(socket):
        request = await accept(socket)
        assert request["since"] == "e.0"
        await socket.send(json.dumps({"type": "recovery", "channel": "everyone", "recovered": True, "missed": 0}))
        await socket.wait_closed()

    async with scripted(goes, stays) as (url, times), Subscriber("everyone", url=url) as subscriber:
        await first(subscriber, Recovered)
        assert 0.7 <= times[1] - times[0] < 5


async def test_a_reader_that_is_slow_holds_up_the_socket_and_no_subscription(monkeypatch):
    monkeypatch.setattr("carillon.subscriber.WAITING", 10)
    sent = asyncio.Event()

    async def talks(socket):
        await accept(socket)
        for offset in range(1, 101):
            await socket.send(json.dumps({"channel": "everyone", "offset": offset, "data": {}}))
        sent.set()
        await socket.wait_closed()

    async with scripted(talks) as (url, _), Subscriber("everyone", url=url) as subscriber:
        await asyncio.wait_for(sent.wait(), 10)
        while subscriber._items.qsize() < 10:
            await asyncio.sleep(0)
        assert [(await first(subscriber, Event))[0].offset for _ in range(100)] == list(range(1, 101))
        assert subscriber._items.qsize() == 0


async def test_duplicates_are_left_out():
    async def doubles(socket):
        await accept(socket, 1)
        for offset in (1, 2, 2, 1, 3):
            await socket.send(json.dumps({"channel": "everyone", "offset": offset, "data": {"n": offset}}))
        await socket.wait_closed()

    async with scripted(doubles) as (url, _), Subscriber("everyone", url=url) as subscriber:
        assert [(await first(subscriber, Event))[0].offset for _ in range(2)] == [2, 3]


async def test_a_token_is_refreshed_before_it_expires():
    asked, told = [], asyncio.get_running_loop().create_future()

    async def expires(socket):
        await accept(socket)
        await socket.send(json.dumps({"type": "token_expiring", "expires_in": 60}))
        told.set_result(json.loads(await socket.recv()))
        await socket.wait_closed()

    async def token():
        asked.append(len(asked))
        return f"token {len(asked)}"

    async with scripted(expires) as (url, _), Subscriber("everyone", url=url, token=token):
        request = await asyncio.wait_for(told, 10)
        assert (request["type"], request["token"], len(asked)) == ("refresh", "token 2", 2)


@pytest.mark.parametrize("code", [4501, 4502, 4503, 4101])
async def test_after_a_final_code_it_does_not_come_back(code):
    async def refuse(socket):
        await socket.close(code, "because")

    async with scripted(refuse) as (url, times), Subscriber("everyone", url=url, token="static") as subscriber:
        with pytest.raises(carillon.ConnectionClosedError, match=f"{code}: because"):
            await first(subscriber, Event)
        with pytest.raises(carillon.ConnectionClosedError):
            await subscriber.subscribe("everyone")
        assert len(times) == 1


async def test_an_expired_token_is_asked_for_anew_once():
    async def expired(socket):
        await socket.close(4101, "expired")

    refused = ["connections that are refused before they are greeted"]

    async def handle(socket):
        refused.append(socket.request.headers["authorization"])
        await expired(socket)

    async with serve(handle, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        tokens = iter(["first", "second", "third"])
        async with Subscriber("everyone", url=url, token=lambda: next(tokens)) as subscriber:
            with pytest.raises(carillon.ConnectionClosedError, match="4101"):
                await first(subscriber, Event)
    assert refused[1:] == ["Bearer first", "Bearer second"]


async def test_a_handshake_that_is_refused_is_not_tried_again(tmp_path):
    loop = asyncio.get_running_loop()
    gateway = await loop.run_in_executor(None, lambda: Gateway(tmp_path, "--refuse-with-http"))
    async with Subscriber("everyone", url=gateway.url, token="nonsense") as subscriber:
        with pytest.raises(carillon.ConnectionClosedError, match=r"40[13]: the handshake was refused"):
            await first(subscriber, Event)
    await loop.run_in_executor(None, gateway.stop)


async def test_nobody_waits_for_ever_for_a_gateway_that_is_not_there():
    async with Subscriber("everyone", url="http://127.0.0.1:9", deadline=0.3) as subscriber:
        with pytest.raises(carillon.UnreachableError, match=r"127\.0\.0\.1:9"):
            await subscriber.publish("everyone", {})


async def test_a_subscription_that_ends_for_now_is_asked_for_again():
    async def ends(socket):
        await accept(socket, 5)
        over = {"type": "unsubscribed", "channel": "everyone", "code": "restart", "message": "", "retry": True}
        await socket.send(json.dumps(over))
        request = await accept(socket, 6)
        assert request["since"] == "e.5"
        await socket.send(json.dumps({"type": "recovery", "channel": "everyone", "recovered": True, "missed": 1}))
        await socket.send(json.dumps({"channel": "everyone", "offset": 6, "data": {}}))
        await socket.wait_closed()

    async with scripted(ends) as (url, _), Subscriber("everyone", url=url) as subscriber:
        assert (await first(subscriber, Event))[0].offset == 6
