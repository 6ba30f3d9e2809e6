"""Python's websockets. Texts and binary messages are answered with themselves: at the first two addresses by a gateway
that declines compression, at the next two by one that accepts it."""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

PLAIN_TEXTS, PLAIN_BINARIES, TEXTS, BINARIES = sys.argv[1:]
LENGTHS = [2, 125, 126, 127, 65_535, 65_536, 1_048_576]


def agreed(socket):
    """Without context takeover on either side; the window of what it gets."""
    if not socket.protocol.extensions:
        return None
    [deflate] = socket.protocol.extensions
    assert deflate.remote_no_context_takeover and deflate.local_no_context_takeover, deflate
    return deflate.remote_max_window_bits


async def texts(url, window, **options):
    async with connect(url, max_size=None, proxy=None, **options) as socket:
        assert agreed(socket) == window, socket.protocol.extensions
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


async def binaries(url, window, **options):
    async with connect(url, max_size=None, proxy=None, **options) as socket:
        assert agreed(socket) == window, socket.protocol.extensions
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
    small = ClientPerMessageDeflateFactory(server_max_window_bits=9, client_max_window_bits=9)
    await texts(PLAIN_TEXTS, None)
    await binaries(PLAIN_BINARIES, None)
    await texts(TEXTS, 15)
    await binaries(BINARIES, 15)
    await texts(TEXTS, 9, compression=None, extensions=[small])
    await binaries(BINARIES, 9, compression=None, extensions=[small])
    await refused()


asyncio.run(main())
