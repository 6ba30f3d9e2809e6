// npm's ws. Texts and binary messages are answered with themselves: at the first two addresses by a gateway that declines
// compression, at the next two by one that accepts it.
const assert = require("node:assert");
const { once } = require("node:events");
const WebSocket = require("ws");

const [PLAIN_TEXTS, PLAIN_BINARIES, TEXTS, BINARIES] = process.argv.slice(2);
const LENGTHS = [2, 125, 126, 127, 65_535, 65_536, 1_048_576];

async function open(url, extensions, options) {
  const socket = new WebSocket(url, options);
  await once(socket, "open");
  assert.equal(socket.extensions, extensions, "compression was offered");
  return socket;
}

async function answer(socket) {
  const [payload, isBinary] = await once(socket, "message");
  return isBinary ? payload : payload.toString();
}

async function close(socket, code) {
  socket.close(code, "être");
  assert.equal((await once(socket, "close"))[0], code);
}

async function talk(texts, binaries, extensions, options) {
  const text = await open(texts, extensions, options);
  for (const length of LENGTHS) {
    const said = JSON.stringify("x".repeat(length - 2));
    text.send(said);
    assert.equal(await answer(text), said);
  }
  const parts = ['"κό', "", "σμε", '"'];
  parts.forEach((part, index) => text.send(part, { fin: index === parts.length - 1 }));
  assert.equal(await answer(text), parts.join(""));
  const pong = once(text, "pong");
  text.ping("payload");
  assert.equal((await pong)[0].toString(), "payload");
  await close(text, 4321);

  const binary = await open(binaries, extensions, options);
  for (const length of [0, ...LENGTHS]) {
    const said = Buffer.alloc(length, 0xfe);
    binary.send(said);
    assert.deepEqual(await answer(binary), said);
  }
  await close(binary, 1000);
}

async function main() {
  await talk(PLAIN_TEXTS, PLAIN_BINARIES, "");
  await talk(TEXTS, BINARIES, "permessage-deflate");
  // Everything compressed that it sends, and a small window for what it gets.
  await talk(TEXTS, BINARIES, "permessage-deflate", { perMessageDeflate: { threshold: 0, serverMaxWindowBits: 10 } });
  const refused = await open(`${TEXTS}?token=nonsense`, "permessage-deflate");
  assert.equal((await once(refused, "close"))[0], 4001);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
