"""Python's websockets, at argv[1]: texts, and argv[2]: binary messages, both of which are answered with themselves."""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

TEXTS, BINARIES = sys.argv[1:]
LENGTHS = [2, 125, 126, 127, 65_535, 65_536, 1_048_576]


async def texts():
    async with connect(TEXTS, max_size=None, proxy=None) as socket:
        assert socket.protocol.extensions == [], "compression was offered, and declined"
        for length in LENGTHS:
            said = json.dumps("x" * (length - 2))
            await socket.send(said)
            assert await socket.recv() == said, length
        parts = ['"κό', "", "σμε", '"']
        await socket.send(parts)
        assert await socket.recv() == "".join(parts)
        await (await socket.ping(b"payload"))
        await socket.close(4321, "être")
        assert socket.close_code == 4321, socket.close_code


async def binaries():
    async with connect(BINARIES, max_size=None, proxy=None) as socket:
        for length in [0, *LENGTHS]:
            said = b"\xfe" * length
            await socket.send(said)
            assert await socket.recv() == said, length


async def refused():
    async with connect(TEXTS + "?token=nonsense", proxy=None) as socket:
        try:
            await socket.recv()
        except ConnectionClosed as end:
            assert end.rcvd.code == 4001, end
        else:
            raise AssertionError("it was let in")


async def main():
    await texts()
    await binaries()
    await refused()


asyncio.run(main())
