import { expect, test } from "vitest";
import { event, greeting, startFake } from "./support/fake.js";
import { isWaiting } from "./support/sockets.js";
import { Watcher } from "./support/watcher.js";

// What the real server can't be made to do.
const fake = startFake();

test("an event that comes again is dropped, and one of no log never is", async () => {
  const { frames, visit } = await fake.greeted();
  visit.send(event("everyone", 7), event("everyone", 8), event("user.1", 4), event("everyone", 8), { type: "typing" }, { type: "typing" });
  visit.send(event("user.1", 3), event("user.1", 6), { type: "end" });
  await frames.next((frame) => (frame as { type: string }).type === "end");
  const seen = frames.seen.map((frame) => [frame.type, (frame as { offset?: number }).offset]);
  expect(seen.slice(1, -1)).toEqual([
    ["event", 8],
    ["event", 4],
    ["typing", undefined],
    ["typing", undefined],
    ["event", 6],
  ]);
});

test("it comes back to where it was, though the recovery itself was cut off", async () => {
  const { frames, visit, states } = await fake.greeted();
  expect(visit.url.searchParams.get("since")).toBe("");
  visit.send(event("user.1", 4));
  await frames.next((frame) => frame.type === "event");
  visit.socket.terminate();
  expect(await states.next(isWaiting)).toMatchObject({ attempt: 1, reason: { kind: "network" } });
  fake.clock.pass(1000);
  const second = await fake.server.visit();
  expect(second.url.searchParams.get("since")).toBe("e1.7.4");
  second.send(greeting(["everyone", 9], ["user.1", 6]), { type: "recovery", recovered: true, missed: 4 }, event("everyone", 8));
  await frames.next((frame) => (frame as { offset?: number }).offset === 8);
  second.socket.terminate();
  await states.next(isWaiting);
  fake.clock.pass(1000);
  const third = await fake.server.visit();
  expect(third.url.searchParams.get("since")).toBe("e1.8.4");
});

test("what is gone is told, for all channels or for one", async () => {
  const { socket, visit, states } = await fake.greeted();
  const gaps = new Watcher(socket, "gap");
  visit.send({ type: "recovery", recovered: false, channel: "user.1" });
  expect(await gaps.next()).toEqual({ channel: "user.1" });
  visit.socket.close(1013, "slow consumer");
  expect(await states.next(isWaiting)).toMatchObject({ reason: { kind: "overloaded", code: 1013, message: "slow consumer" } });
  fake.clock.pass(1000);
  const second = await fake.server.visit();
  second.send({ ...greeting(["everyone", 2], ["user.1", 1]), epoch: "e2" }, { type: "recovery", recovered: false });
  expect(await gaps.next()).toEqual({});
  expect(socket.offsets).toEqual({ everyone: 2, "user.1": 1 });
});

test("ephemeral events that were left out are told", async () => {
  const { socket, visit } = await fake.greeted();
  const dropped = new Watcher(socket, "dropped");
  visit.send({ type: "dropped", count: 12 });
  expect(await dropped.next()).toEqual({ count: 12 });
});

test("what is no JSON, or no object, is passed over", async () => {
  const lines: unknown[] = [];
  const { frames, visit } = await fake.greeted({ log: (...line: unknown[]) => lines.push(line) });
  visit.socket.send("{");
  visit.send(null, 3, [], { type: "end" });
  await frames.next((frame) => (frame as { type: string }).type === "end");
  expect(frames.seen.map(({ type }) => type)).toEqual(["connection.established", undefined, "end"]);
  expect(lines).toContainEqual(["❌ [WebSocket] Not JSON:", "{"]);
});

test("a listener that fails keeps nobody else from hearing", async () => {
  const thrown: unknown[] = [];
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  const failed = new Promise<void>((resolve) =>
    process.once("uncaughtException", (error) => {
      thrown.push(error);
      resolve();
    }),
  );
  const { socket, visit } = await fake.greeted();
  socket.on("frame", () => {
    throw new Error("of the application");
  });
  const frames = new Watcher<{ type?: unknown }>(socket, "frame");
  visit.send(event("everyone", 8));
  await frames.next(({ type }) => type === "event");
  await failed;
  for (const listener of before) process.on("uncaughtException", listener);
  expect(thrown).toMatchObject([{ message: "of the application" }]);
});
