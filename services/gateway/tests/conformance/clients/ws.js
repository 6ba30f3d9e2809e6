// npm's ws, at argv[2]: texts, and argv[3]: binary messages, both of which are answered with themselves.
const assert = require("node:assert");
const { once } = require("node:events");
const WebSocket = require("ws");

const [texts, binaries] = process.argv.slice(2);
const LENGTHS = [2, 125, 126, 127, 65_535, 65_536, 1_048_576];

async function open(url) {
  const socket = new WebSocket(url);
  await once(socket, "open");
  assert.equal(socket.extensions, "", "compression was offered, and declined");
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

async function main() {
  const text = await open(texts);
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

  const binary = await open(binaries);
  for (const length of [0, ...LENGTHS]) {
    const said = Buffer.alloc(length, 0xfe);
    binary.send(said);
    assert.deepEqual(await answer(binary), said);
  }
  await close(binary, 1000);

  const refused = await open(`${texts}?token=nonsense`);
  assert.equal((await once(refused, "close"))[0], 4001);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
