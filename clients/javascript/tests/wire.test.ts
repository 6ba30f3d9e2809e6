import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Clock } from "./support/clock.js";
import { FakeServer, type Visit } from "./support/server.js";
import { client, endpoint, isClosed, isOpen, isWaiting } from "./support/sockets.js";
import { Watcher } from "./support/watcher.js";

// What the real server can't be made to do.
let server: FakeServer;
let clock: Clock;
beforeEach(async () => {
  server = await FakeServer.start();
  clock = new Clock();
});
afterEach(() => server.stop());

const greeting = (...channels: [string, number][]) => ({
  type: "connection.established",
  epoch: "e1",
  channels: channels.map(([name, offset]) => ({ name, offset })),
});
const event = (channel: string, offset: number) => ({ type: "event", channel, offset });

/** A socket whose server has greeted it with `everyone` at 7 and `user.1` at 3. */
async function greeted(options = {}): Promise<ReturnType<typeof endpoint<"ws/events/1/">> & { visit: Visit }> {
  const made = endpoint("ws/events/1/", { url: server.url, timers: clock, backoff: { base: 1000, most: 30_000 }, ...options });
  const visit = await server.visit();
  visit.send(greeting(["everyone", 7], ["user.1", 3]));
  await made.states.next(isOpen);
  return { ...made, visit };
}

/** Until something is to happen in so many milliseconds. */
async function alarm(milliseconds: number): Promise<void> {
  while (clock.next !== milliseconds) await new Promise((resolve) => setImmediate(resolve));
}

test("an event that comes again is dropped, and one of no log never is", async () => {
  const { frames, visit } = await greeted();
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
  const { frames, visit, states } = await greeted();
  expect(visit.url.searchParams.get("since")).toBe("");
  visit.send(event("user.1", 4));
  await frames.next((frame) => frame.type === "event");
  visit.socket.terminate();
  expect(await states.next(isWaiting)).toMatchObject({ attempt: 1, reason: { kind: "network" } });
  clock.pass(1000);
  const second = await server.visit();
  expect(second.url.searchParams.get("since")).toBe("e1.7.4");
  second.send(greeting(["everyone", 9], ["user.1", 6]), { type: "recovery", recovered: true, missed: 4 }, event("everyone", 8));
  await frames.next((frame) => (frame as { offset?: number }).offset === 8);
  second.socket.terminate();
  await states.next(isWaiting);
  clock.pass(1000);
  const third = await server.visit();
  expect(third.url.searchParams.get("since")).toBe("e1.8.4");
});

test("what is gone is told, for all channels or for one", async () => {
  const { socket, visit, states } = await greeted();
  const gaps = new Watcher(socket, "gap");
  visit.send({ type: "recovery", recovered: false, channel: "user.1" });
  expect(await gaps.next()).toEqual({ channel: "user.1" });
  visit.socket.close(1013, "slow consumer");
  expect(await states.next(isWaiting)).toMatchObject({ reason: { kind: "overloaded", code: 1013, message: "slow consumer" } });
  clock.pass(1000);
  const second = await server.visit();
  second.send({ ...greeting(["everyone", 2], ["user.1", 1]), epoch: "e2" }, { type: "recovery", recovered: false });
  expect(await gaps.next()).toEqual({});
  expect(socket.offsets).toEqual({ everyone: 2, "user.1": 1 });
});

test("ephemeral events that were left out are told", async () => {
  const { socket, visit } = await greeted();
  const dropped = new Watcher(socket, "dropped");
  visit.send({ type: "dropped", count: 12 });
  expect(await dropped.next()).toEqual({ count: 12 });
});

describe("coming back", () => {
  test("waits longer each time, up to the bound, and anew after it was open", async () => {
    const { visit, states } = await greeted();
    clock.chance = 0.5;
    let last = visit;
    const waits: (number | undefined)[] = [];
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      last.socket.terminate();
      expect((await states.next(isWaiting)).attempt).toBe(attempt);
      waits.push(clock.next);
      clock.pass(clock.next as number);
      last = await server.visit();
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    last.send(greeting(["everyone", 7], ["user.1", 3]));
    await states.next(isOpen);
    last.socket.terminate();
    await states.next(isWaiting);
    expect(clock.next).toBe(500);
  });

  test("is when the server has said, the first time", async () => {
    const { visit, states } = await greeted();
    visit.send({ type: "reconnect", after_ms: 4321 });
    visit.socket.close(1012, "restart");
    expect(await states.next(isWaiting)).toMatchObject({ attempt: 1, reason: { kind: "restart" }, retryAt: clock.now() + 4321 });
    clock.pass(4320);
    expect(states.seen.at(-1)?.status).toBe("waiting");
    clock.pass(1);
    const second = await server.visit();
    second.send({ type: "reconnect", after_ms: 2000 });
    second.socket.close(4429, "connections_per_address");
    // Full houses are asked less and less often.
    expect(await states.next(isWaiting)).toMatchObject({
      attempt: 2,
      reason: { kind: "limit", code: 4429 },
      retryAt: clock.now() + 2000 + 1000,
    });
  });

  test("is not, after a normal end, or after this side closed it", async () => {
    const { visit, states, socket } = await greeted();
    visit.socket.close(1000, "bye");
    expect(await states.next(isClosed)).toMatchObject({ reason: { kind: "normal", code: 1000, message: "bye" } });
    expect(clock.next).toBeUndefined();
    socket.connect();
    (await server.visit()).send(greeting(["everyone", 7], ["user.1", 3]));
    await states.next(isOpen);
    socket.close();
    expect(states.seen.at(-1)).toMatchObject({ status: "closed", reason: { kind: "asked" } });
    expect(clock.next).toBeUndefined();
  });

  test("is given up after some refusals in a row, though each token was another one", async () => {
    let number = 0;
    const { states } = endpoint("ws/events/1/", { url: server.url, timers: clock, token: () => `token-${++number}` });
    for (let refusal = 1; refusal <= 4; refusal += 1) {
      const visit = await server.visit();
      expect(visit.url.searchParams.get("token")).toBe(`token-${refusal}`);
      visit.socket.close(4001, "invalid token");
      await states.next(refusal < 4 ? isWaiting : isClosed);
      clock.pass(60_000);
    }
    expect(clock.next).toBeUndefined();
  });

  test("outlives a callback that fails", async () => {
    let failures = 2;
    const { states } = endpoint("ws/events/1/", {
      url: server.url,
      timers: clock,
      token: async () => {
        if (failures-- > 0) throw new Error("no network");
        return "token";
      },
    });
    for (const attempt of [2, 3]) {
      expect(await states.next(isWaiting)).toMatchObject({ attempt, reason: { kind: "token_callback", message: "Error: no network" } });
      clock.pass(60_000);
    }
    expect((await server.visit()).url.searchParams.get("token")).toBe("token");
  });
});

describe("a heartbeat", () => {
  test("asks after silence, is not shown, and finds out that nobody is there", async () => {
    const { visit, frames, states } = await greeted({ heartbeat: 25_000, patience: 10_000 });
    clock.pass(25_000);
    const ping = (await visit.heard()) as { type: string; timestamp: number };
    expect(ping).toEqual({ type: "ping", timestamp: clock.now() });
    visit.send({ type: "pong", timestamp: ping.timestamp }, { type: "end" });
    await frames.next((frame) => (frame as { type: string }).type === "end");
    expect(frames.seen.map(({ type }) => type)).not.toContain("pong");
    clock.pass(10_000);
    expect(states.seen.at(-1)?.status).toBe("open");
    clock.pass(15_000);
    await visit.heard();
    clock.pass(10_000);
    expect(states.seen.at(-1)).toMatchObject({ status: "waiting", reason: { kind: "silent" } });
  });

  test("isn't needed while something comes", async () => {
    const { visit, frames } = await greeted({ heartbeat: 25_000 });
    for (let time = 0; time < 5; time += 1) {
      clock.pass(20_000);
      visit.send(event("everyone", 8 + time));
      await frames.next((frame) => (frame as { offset?: number }).offset === 8 + time);
    }
    expect(visit.unread).toEqual([]);
  });

  test("can be without", async () => {
    await greeted({ heartbeat: 0 });
    expect(clock.next).toBeUndefined();
  });
});

test("a handshake that nobody answers is given up", async () => {
  const { states } = endpoint("ws/events/1/", {
    timers: clock,
    url: server.url,
    patience: 5000,
    WebSocket: class {
      readyState = 0;
      onopen = null;
      onmessage = null;
      onclose = null;
      onerror = null;
      send() {}
      close() {}
    },
  });
  await Promise.resolve();
  await states.next(({ status }) => status === "connecting");
  await new Promise((resolve) => setImmediate(resolve));
  clock.pass(5000);
  expect(states.seen.at(-1)).toMatchObject({ status: "waiting", reason: { kind: "network", message: "the handshake took too long" } });
});

test("a server that greets nobody has let a client in when it does not refuse", async () => {
  const { states } = endpoint("ws/elsewhere/", { url: server.url, timers: clock });
  const visit = await server.visit();
  await alarm(2000);
  clock.pass(2000);
  await states.next(isOpen);
  expect(visit.unread).toEqual([]);
});

test("what has a client_id is sent again until it is acknowledged, and nothing else is", async () => {
  const { socket, visit, states } = await greeted();
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
  clock.pass(60_000);
  const second = await server.visit();
  second.send(greeting(["everyone", 7], ["user.1", 3]));
  expect([await second.heard(), await second.heard()]).toEqual([{ message: "three", client_id: "c" }, { message: "four" }]);
});

test("what was too much is sent again when it is heard, and is refused once all is over", async () => {
  const { socket, visit, states } = await greeted();
  socket.send({ message: "one", client_id: "a" });
  socket.send({ message: "two", client_id: "b" });
  await visit.heard();
  await visit.heard();
  visit.send(
    { type: "message_ack", client_id: "a" },
    { type: "error", code: "rate_limited", message: "Rate limit exceeded", retry_after: 7 },
  );
  await alarm(7000);
  clock.pass(7000);
  expect(await visit.heard()).toEqual({ message: "two", client_id: "b" });
  visit.socket.close(4003, "blocked");
  await states.next(isClosed);
  expect(socket.send({ message: "three", client_id: "c" })).toBe("refused");
});

test("what is no JSON, or no object, is passed over", async () => {
  const lines: unknown[] = [];
  const { frames, visit } = await greeted({ log: (...line: unknown[]) => lines.push(line) });
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
  const { socket, visit } = await greeted();
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

describe("carillon.v1", () => {
  async function connected(options = {}) {
    const made = client({ url: server.url, timers: clock, backoff: { base: 1000 }, ...options });
    made.client.connect();
    const visit = await server.visit();
    visit.send({ type: "connected", protocol: "carillon.v1", connection: "c", user_id: 1 });
    await made.states.next(isOpen);
    return { ...made, visit };
  }
  const subscribed = (id: number, channel: string, offset: number, epoch = "e1") => ({ id, type: "subscribed", channel, epoch, offset });

  test("offers its subprotocol where the token travels among them", async () => {
    const { visit } = await connected({ token: "t", tokenIn: "subprotocol" });
    expect(visit.protocol).toBe("carillon.v1,bearer,t");
    expect(visit.url.searchParams.has("token")).toBe(false);
  });

  test("subscribes first, each channel since where it was, then asks what has waited", async () => {
    const { client: one, visit, states } = await connected();
    const [a, b] = [one.subscribe("room.a", { query: { history: 5 } }), one.subscribe("room.b")];
    const events = new Watcher<{ offset?: number }>(a, "event");
    expect(await visit.heard()).toEqual([
      { id: 1, type: "subscribe", channel: "room.a", query: { history: 5 } },
      { id: 2, type: "subscribe", channel: "room.b" },
    ]);
    visit.send(subscribed(1, "room.a", 3), subscribed(2, "room.b", 9));
    visit.send({ channel: "room.a", offset: 4, data: {} }, { channel: "room.a", offset: 4, data: {} }, { channel: "room.a", data: {} });
    await events.next(({ offset }) => offset === undefined);
    expect(events.seen).toEqual([{ data: {}, offset: 4 }, { data: {} }]);
    visit.socket.terminate();
    await states.next(isWaiting);
    const answer = b.publish({ type: "chat_message" });
    clock.pass(60_000);
    const second = await server.visit();
    second.send({ type: "connected", protocol: "carillon.v1", connection: "d", user_id: 1 });
    expect(await second.heard()).toEqual([
      { id: 4, type: "subscribe", channel: "room.a", since: "e1.4", query: { history: 5 } },
      { id: 5, type: "subscribe", channel: "room.b", since: "e1.9" },
      { id: 3, type: "publish", channel: "room.b", data: { type: "chat_message" } },
    ]);
    second.send({ id: 3, type: "published", channel: "room.b", data: [] });
    expect(await answer).toEqual([]);
  });

  test("of what was asked when it broke, only that is asked again which does no harm", async () => {
    const { client: one, visit, states } = await connected();
    const room = one.subscribe("room.a");
    await visit.heard();
    visit.send(subscribed(1, "room.a", 0));
    await new Watcher(room, "subscribed").next();
    const risky = room.publish({ action: "increment" });
    const safe = room.publish({ type: "chat_message", client_id: "x" });
    const asked = room.history();
    await visit.heard();
    visit.socket.terminate();
    await expect(risky).rejects.toMatchObject({ code: "uncertain", retry: true });
    await states.next(isWaiting);
    clock.pass(60_000);
    const second = await server.visit();
    second.send({ type: "connected", protocol: "carillon.v1", connection: "d", user_id: 1 });
    expect((await second.heard()) as { type: string }[]).toMatchObject([{ type: "subscribe" }, { type: "publish" }, { type: "history" }]);
    second.send({ id: 3, type: "published", channel: "room.a", data: [{ type: "message_ack" }] });
    second.send({ id: 4, type: "history", channel: "room.a", epoch: "e1", first: 1, head: 0, events: [] });
    expect([await safe, await asked]).toMatchObject([[{ type: "message_ack" }], { events: [] }]);
  });

  test("a subscription that may succeed later is tried again, with its place", async () => {
    const { client: one, visit } = await connected();
    const room = one.subscribe("room.a");
    const gaps = new Watcher(room, "gap");
    const entered = new Watcher(room, "subscribed");
    await visit.heard();
    visit.send({ id: 1, type: "error", channel: "room.a", code: "rate_limited", message: "slow", retry: true, retry_after: 3 });
    visit.send({ type: "pong", timestamp: "seen" });
    await alarm(3500);
    clock.pass(3500);
    expect(await visit.heard()).toMatchObject({ id: 2, type: "subscribe" });
    visit.send(subscribed(2, "room.a", 5));
    await entered.next();
    visit.send({ type: "unsubscribed", channel: "room.a", code: "restart", message: "the service restarts", retry: true });
    await alarm(500);
    expect(room.status).toBe("pending");
    clock.pass(500);
    expect(await visit.heard()).toMatchObject({ id: 3, type: "subscribe", since: "e1.5" });
    visit.send(subscribed(3, "room.a", 2, "e2"), { type: "recovery", channel: "room.a", recovered: false });
    await gaps.next();
    expect(room.since).toBe("e2.2");
  });

  test("a subscription that has ended for good is told, and nothing of it follows", async () => {
    const { client: one, visit } = await connected();
    const room = one.subscribe("org.acme");
    const [ended, events] = [new Watcher(room, "ended"), new Watcher(room, "event")];
    await visit.heard();
    visit.send(subscribed(1, "org.acme", 5));
    visit.send({ type: "unsubscribed", channel: "org.acme", code: "denied", message: "no longer a member", retry: false });
    expect(await ended.next()).toMatchObject({ code: "denied", retry: false });
    visit.send({ channel: "org.acme", offset: 6, data: {} }, { type: "error", code: "invalid", message: "what?", retry: false });
    expect(await new Watcher(one, "error").next()).toEqual({ code: "invalid", message: "what?" });
    expect(events.seen).toEqual([]);
  });
});
