import { describe, expect, test } from "vitest";
import { startFake } from "./support/fake.js";
import { client, isOpen, isWaiting } from "./support/sockets.js";
import { Watcher } from "./support/watcher.js";

// What the real server can't be made to do.
const fake = startFake();

describe("carillon.v1", () => {
  async function connected(options = {}) {
    const made = client({ url: fake.server.url, timers: fake.clock, backoff: { base: 1000 }, ...options });
    made.client.connect();
    const visit = await fake.server.visit();
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
    fake.clock.pass(60_000);
    const second = await fake.server.visit();
    second.send({ type: "connected", protocol: "carillon.v1", connection: "d", user_id: 1 });
    expect(await second.heard()).toEqual([
      { id: 4, type: "subscribe", channel: "room.a", since: "e1.4", query: { history: 5 } },
      { id: 5, type: "subscribe", channel: "room.b", since: "e1.9" },
      { id: 3, type: "publish", channel: "room.b", data: { type: "chat_message" } },
    ]);
    second.send({ id: 3, type: "published", channel: "room.b", data: [] });
    expect(await answer).toEqual([]);
  });

  test("what was missed follows, though the answer says how far the channel is by now", async () => {
    const { client: one, visit, states } = await connected();
    const room = one.subscribe("room.a");
    const [events, recoveries] = [new Watcher<{ offset?: number }>(room, "event"), new Watcher(room, "recovery")];
    await visit.heard();
    visit.send(subscribed(1, "room.a", 3), { channel: "room.a", offset: 4, data: {} });
    await events.next();
    visit.socket.terminate();
    await states.next(isWaiting);
    fake.clock.pass(60_000);
    const second = await fake.server.visit();
    second.send({ type: "connected", protocol: "carillon.v1", connection: "d", user_id: 1 });
    expect(await second.heard()).toMatchObject({ since: "e1.4" });
    second.send(subscribed(2, "room.a", 6), { type: "recovery", channel: "room.a", recovered: true, missed: 2 });
    for (const offset of [5, 6, 7]) second.send({ channel: "room.a", offset, data: {} });
    expect(await recoveries.next()).toEqual({ missed: 2 });
    await events.next(({ offset }) => offset === 7);
    expect(events.seen.map(({ offset }) => offset)).toEqual([4, 5, 6, 7]);
  });

  test("what was asked about a channel that nobody listens to any more is not answered", async () => {
    const { client: one, visit } = await connected();
    const room = one.subscribe("room.a");
    await visit.heard();
    visit.send(subscribed(1, "room.a", 3));
    await new Watcher(room, "subscribed").next();
    const asked = room.presence();
    await visit.heard();
    room.unsubscribe();
    await expect(asked).rejects.toMatchObject({ code: "unsubscribed", retry: false });
    expect(await visit.heard()).toEqual({ id: 3, type: "unsubscribe", channel: "room.a" });
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
    fake.clock.pass(60_000);
    const second = await fake.server.visit();
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
    await fake.alarm(3500);
    fake.clock.pass(3500);
    expect(await visit.heard()).toMatchObject({ id: 2, type: "subscribe" });
    visit.send(subscribed(2, "room.a", 5));
    await entered.next();
    visit.send({ type: "unsubscribed", channel: "room.a", code: "restart", message: "the service restarts", retry: true });
    await fake.alarm(500);
    expect(room.status).toBe("pending");
    fake.clock.pass(500);
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
