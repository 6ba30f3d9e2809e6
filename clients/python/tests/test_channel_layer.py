"""The layer's conformance: what the suites of Channels' own layers ask of theirs, of two processes as well."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import os
import subprocess
import sys
import time

import pytest
from asgiref.sync import async_to_sync
from channels.exceptions import ChannelFull

from carillon.channels import CarillonChannelLayer
from gateway import SCOPES


@pytest.fixture
async def layer(gateway):
    layer = CarillonChannelLayer(gateway.url, gateway.token, capacity=3)
    yield layer
    await layer.flush()
    await layer.close()


async def other_process(gateway, *arguments: str, **more) -> dict:
    """What another process answers."""
    environment = {**os.environ, "CARILLON_URL": gateway.url, "CARILLON_TOKEN": gateway.token}
    command = [sys.executable, "-c", _OTHER, *arguments]
    run = lambda: subprocess.run(command, env=environment, capture_output=True, timeout=60, check=True)  # noqa: E731
    return json.loads((await asyncio.get_running_loop().run_in_executor(None, run)).stdout or b"null")


_OTHER = """
import asyncio, json, sys
from django.conf import settings
settings.configure()
from carillon.channels import CarillonChannelLayer
async def main(method, *arguments):
    layer = CarillonChannelLayer()
    print(json.dumps(await getattr(layer, method)(*[json.loads(it) for it in arguments])))
    await layer.close()
asyncio.run(main(*sys.argv[1:]))
"""


async def in_thread(function, *arguments):
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)


async def soon(awaitable):
    return await asyncio.wait_for(awaitable, 30)


async def nothing(layer, channel):
    """Nothing comes on a channel, by when something that was sent later has come on another."""
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(layer.receive(channel), 0.05)


async def test_send_and_receive(layer):
    await layer.send("test-channel-1", {"type": "test.message", "text": "Ahoy-hoy!"})
    assert await layer.receive("test-channel-1") == {"type": "test.message", "text": "Ahoy-hoy!"}


async def test_send_capacity(layer):
    for _ in range(3):
        await layer.send("test-channel-1", {"type": "test.message"})
    with pytest.raises(ChannelFull):
        await layer.send("test-channel-1", {"type": "test.message"})


async def test_a_channels_own_capacity(gateway):
    layer = CarillonChannelLayer(gateway.url, gateway.token, channel_capacity={"one*": 1})
    await layer.send("one.x", {"type": "test.message"})
    with pytest.raises(ChannelFull):
        await layer.send("one.x", {"type": "test.message"})


async def test_a_channel_of_this_process(layer):
    name = await layer.new_channel()
    await layer.send(name, {"type": "test.message", "text": "Local only please"})
    assert (await layer.receive(name))["text"] == "Local only please"


async def test_order(layer):
    for number in (1, 2, 3):
        await layer.send("test-channel-3", {"type": f"message.{number}"})
    assert [(await layer.receive("test-channel-3"))["type"] for _ in range(3)] == [
        "message.1",
        "message.2",
        "message.3",
    ]


async def test_bad_names(layer):
    with pytest.raises(TypeError):
        await layer.send("=+135!", {"type": "foom"})
    with pytest.raises(TypeError):
        await layer.receive("=+135!")
    with pytest.raises(TypeError):
        await layer.group_send("a b", {"type": "foom"})
    with pytest.raises(TypeError):
        await layer.group_add("g" * 100, "test")
    with pytest.raises(AssertionError):
        await layer.send("test", "no dict")
    with pytest.raises(AssertionError):
        await layer.receive("specific.another!local_part")


async def test_what_cannot_be_sent(layer):
    with pytest.raises(TypeError, match="datetime"):
        import datetime

        await layer.group_send("test-group", {"type": "x", "at": datetime.datetime.now()})


async def test_a_group(layer):
    names = [await layer.new_channel(prefix=f"test-gr-chan-{number}") for number in (1, 2, 3)]
    for name in names:
        await layer.group_add("test-group", name)
    await layer.group_discard("test-group", names[1])
    message = {"type": "message.1", "bytes": b"\x00\xff", "list": [1, 2.5, None, {"deep": True}], "text": "ü🎉"}
    await layer.group_send("test-group", message)
    assert await soon(layer.receive(names[0])) == message
    assert await soon(layer.receive(names[2])) == message
    await nothing(layer, names[1])


async def test_a_channel_in_a_group_by_name_alone(layer):
    await layer.group_add("test-group", "test-gr-chan-1")
    await layer.group_send("test-group", {"type": "message.1"})
    assert (await soon(layer.receive("test-gr-chan-1")))["type"] == "message.1"


async def test_a_member_that_does_not_keep_up_is_no_error(layer):
    slow, quick = await layer.new_channel(), await layer.new_channel()
    await layer.group_add("test-group", slow)
    await layer.group_add("test-group", quick)
    for number in range(5):
        await layer.group_send("test-group", {"type": "message", "number": number})
        assert (await soon(layer.receive(quick)))["number"] == number
    assert [(await layer.receive(slow))["number"] for _ in range(3)] == [0, 1, 2]


async def test_a_group_of_the_longest_name(layer):
    group = "g" * 99
    name = await layer.new_channel()
    await layer.group_add(group, name)
    await layer.group_send(group, {"type": "x"})
    assert (await soon(layer.receive(name)))["type"] == "x"


async def test_a_group_that_has_nobody(layer):
    await layer.group_send("nobody", {"type": "x"})
    await layer.group_discard("nobody", "test")


async def test_who_is_added_twice_gets_it_once(layer):
    name = await layer.new_channel()
    await layer.group_add("twice", name)
    await layer.group_add("twice", name)
    await layer.group_send("twice", {"type": "one"})
    await layer.group_send("twice", {"type": "two"})
    assert [(await soon(layer.receive(name)))["type"] for _ in range(2)] == ["one", "two"]
    await layer.group_discard("twice", name)
    await layer.group_add("twice", name)
    await layer.group_send("twice", {"type": "three"})
    assert (await soon(layer.receive(name)))["type"] == "three"


async def test_a_message_expires(gateway):
    layer = CarillonChannelLayer(gateway.url, gateway.token, expiry=0.1)
    await layer.send("test-channel-1", {"type": "message.1"})
    await layer.send("test-channel-2", {"type": "message.2"})
    until = time.monotonic() + 0.2
    while time.monotonic() < until:
        await asyncio.sleep(0.05)
    await nothing(layer, "test-channel-1")
    assert len(layer._mailboxes) == 0


async def test_a_consumer_that_is_gone_leaves_its_groups(gateway):
    layer = CarillonChannelLayer(gateway.url, gateway.token, expiry=0.2)
    name = await layer.new_channel()
    await layer.group_add("left", name)
    await layer.group_send("left", {"type": "x"})
    until = time.monotonic() + 10
    while layer._members.groups():
        len(layer._mailboxes)
        assert time.monotonic() < until
        await asyncio.sleep(0.05)
    await layer.close()


async def test_a_membership_expires(gateway):
    layer = CarillonChannelLayer(gateway.url, gateway.token, group_expiry=0)
    await layer.group_add("short", "test")
    assert layer._members.of("short") == []
    await layer.close()


async def test_flush(layer):
    name = await layer.new_channel()
    await layer.group_add("flushed", name)
    await layer.send(name, {"type": "x"})
    await layer.flush()
    await layer.group_send("flushed", {"type": "x"})
    await nothing(layer, name)


async def test_a_reader_that_gives_up_takes_nothing(layer):
    name = await layer.new_channel()
    reading = asyncio.create_task(layer.receive(name))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await layer.send(name, {"type": "x"})
    assert (await soon(layer.receive(name)))["type"] == "x"


def test_two_event_loops(gateway):
    layer = CarillonChannelLayer(gateway.url, gateway.token)
    names = [async_to_sync(layer.new_channel)() for _ in range(2)]
    for name in names:
        async_to_sync(layer.group_add)("loops", name)
    async_to_sync(layer.group_send)("loops", {"type": "test.message"})
    assert async_to_sync(layer.receive)(names[1])["type"] == "test.message"
    assert async_to_sync(layer.receive)(names[0])["type"] == "test.message"
    async_to_sync(layer.close)()


async def test_a_group_over_two_processes(layer, gateway):
    name = await layer.new_channel()
    await layer.group_add("over-processes", name)
    await other_process(gateway, "group_send", '"over-processes"', '{"type": "from.afar"}')
    assert (await soon(layer.receive(name)))["type"] == "from.afar"


async def test_a_channel_of_another_process(layer, gateway):
    name = await layer.new_channel()
    await other_process(gateway, "send", json.dumps(name), '{"type": "from.afar"}')
    assert (await soon(layer.receive(name)))["type"] == "from.afar"
    await other_process(gateway, "group_add", '"by-another"', json.dumps(name))
    until = time.monotonic() + 10
    while layer._members.of("by-another") != [name]:
        assert time.monotonic() < until
        await asyncio.sleep(0.01)
    await layer.group_add("by-another", name)
    await layer.group_send("by-another", {"type": "x"})
    assert (await soon(layer.receive(name)))["type"] == "x"


async def test_what_is_sent_while_the_gateway_is_away_comes_when_it_is_back(own_gateway):
    layer = CarillonChannelLayer(own_gateway.url, own_gateway.token)
    name = await layer.new_channel()
    await layer.group_add("durable", name)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, own_gateway.kill)
    sending = asyncio.create_task(layer.group_send("durable", {"type": "x"}))
    await loop.run_in_executor(None, own_gateway.start)
    await soon(sending)
    assert (await asyncio.wait_for(layer.receive(name), 60))["type"] == "x"
    await layer.close()


async def test_a_token_without_the_scope_is_named(gateway):
    layer = CarillonChannelLayer(gateway.url, gateway.service_token("chat:send"))
    with pytest.raises(Exception, match="channels:listen"):
        await layer.group_add("test-group", "test")
    with pytest.raises(Exception, match="403"):
        await layer.group_send("test-group", {"type": "x"})
    await layer.close()


async def test_groups_go_on_when_what_ended_them_is_mended(gateway, layer, monkeypatch, caplog):
    monkeypatch.setattr("carillon.channels.listening.PAUSE", 0.1)
    token, number = await in_thread(gateway.new_service_token, *SCOPES)
    listener = CarillonChannelLayer(gateway.url, token)
    name = await listener.new_channel()
    await listener.group_add("mended", name)
    await layer.group_send("mended", {"type": "before"})
    assert (await soon(listener.receive(name)))["type"] == "before"
    await in_thread(gateway.admin, "DELETE", f"/api/auth/service-tokens/{number}/")
    until = time.monotonic() + 30
    while "Carillon is not listened to" not in caplog.text:
        assert time.monotonic() < until
        await asyncio.sleep(0.05)
    await layer.group_send("mended", {"type": "meanwhile"})
    listener._listening._settings = dataclasses.replace(listener.settings, token=gateway.token)
    assert (await soon(listener.receive(name)))["type"] == "meanwhile"
    await listener.close()


async def test_channels_for_workers_are_the_fallbacks(gateway, settings, caplog):
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "carillon.channels.CarillonChannelLayer", "CONFIG": {"fallback": "workers"}},
        "workers": {"BACKEND": "channels.layers.InMemoryChannelLayer"},
    }
    from channels.layers import get_channel_layer

    settings.CARILLON = {"URL": gateway.url, "TOKEN": gateway.token}
    layer = get_channel_layer()
    await layer.send("thumbnails", {"type": "generate"})
    assert (await get_channel_layer("workers").receive("thumbnails"))["type"] == "generate"
    await get_channel_layer("workers").send("thumbnails", {"type": "again"})
    assert (await layer.receive("thumbnails"))["type"] == "again"
    alone = CarillonChannelLayer()
    with caplog.at_level(logging.WARNING, "carillon.channels"):
        await alone.send("thumbnails", {"type": "generate"})
    assert "thumbnails is a channel of this process only" in caplog.text
    await layer.close()
