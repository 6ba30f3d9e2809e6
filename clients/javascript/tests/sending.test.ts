import { expect, test } from "vitest";
import { greeting, startFake } from "./support/fake.js";
import { isClosed, isWaiting } from "./support/sockets.js";

// What the real server can't be made to do.
const fake = startFake();

test("what has a client_id is sent again until it is acknowledged, and nothing else is", async () => {
  const { socket, visit, states } = await fake.greeted();
  for (const [message, client_id] of [
    ["one", "a"],
    ["two", undefined],
    ["three", "c"],
  ])
    socket.send({ message, ...(client_id && { client_id }) });
  for (let frame = 0; frame < 3; frame += 1) await visit.heard();
  visit.send({ type: "message_ack", client_id: "a" }, greeting(["everyone", 7]));
  visit.socket.terminate();
  await states.next(isWaiting);
  socket.send({ message: "four" });
  fake.clock.pass(60_000);
  const second = await fake.server.visit();
  second.send(greeting(["everyone", 7], ["user.1", 3]));
  expect([await second.heard(), await second.heard()]).toEqual([{ message: "three", client_id: "c" }, { message: "four" }]);
});

test("what was too much is sent again when it is heard, and is refused once all is over", async () => {
  const { socket, visit, states } = await fake.greeted();
  socket.send({ message: "one", client_id: "a" });
  socket.send({ message: "two", client_id: "b" });
  await visit.heard();
  await visit.heard();
  visit.send(
    { type: "message_ack", client_id: "a" },
    { type: "error", code: "rate_limited", message: "Rate limit exceeded", retry_after: 7 },
  );
  await fake.alarm(7000);
  fake.clock.pass(7000);
  expect(await visit.heard()).toEqual({ message: "two", client_id: "b" });
  visit.socket.close(4003, "blocked");
  await states.next(isClosed);
  expect(socket.send({ message: "three", client_id: "c" })).toBe("refused");
});
