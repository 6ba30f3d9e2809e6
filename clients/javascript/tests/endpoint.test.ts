import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Gateway } from "./support/gateway.js";
import { endpoint, isClosed, isOpen, isWaiting } from "./support/sockets.js";
import { Watcher } from "./support/watcher.js";

let gateway: Gateway;
let alice: string;

beforeAll(async () => {
  gateway = await Gateway.start();
  alice = await gateway.login("alice");
});
afterAll(() => gateway?.remove());

const is =
  <Type extends string>(type: Type) =>
  (frame: { type?: unknown }): boolean =>
    frame.type === type;

test("a notification comes with all that was sent, in each dialect", async () => {
  const plain = endpoint("ws/notifications/", { url: gateway.url, token: alice });
  const ticketing = endpoint("ws/notifications/", { url: gateway.url, token: alice, query: { dialect: "ticketing" } });
  await plain.frames.next(is("connection.established"));
  await ticketing.frames.next(is("connection_established"));
  await gateway.notify(1, "New Order", { order_id: 456 });
  expect(await plain.frames.next(is("notification"))).toMatchObject({ notification: { title: "New Order", order_id: 456 } });
  expect(await ticketing.frames.next(is("notification_message"))).toMatchObject({ data: { title: "New Order", order_id: 456 } });
});

test("the token may travel among the subprotocols", async () => {
  const { frames } = endpoint("ws/notifications/", { url: gateway.url, token: () => Promise.resolve(alice), tokenIn: "subprotocol" });
  expect(await frames.next(is("connection.established"))).toMatchObject({ user_id: 1 });
});

test("an address of its own may be given, with its token, as the documents have it", async () => {
  const { frames } = endpoint(`${gateway.url.replace("http", "ws")}/ws/notifications/?token=${alice}`, {});
  expect(await frames.next(is("connection.established"))).toMatchObject({ user_id: 1 });
});

test("what is said before it is connected waits, in order", async () => {
  const { socket, frames, states } = endpoint("ws/counter/queue/", { url: gateway.url, token: alice, autoConnect: false });
  expect([1, 2, 3].map((value) => socket.send({ action: "increment", value }))).toEqual(["queued", "queued", "queued"]);
  expect(socket.state).toEqual({ status: "idle", attempt: 0 });
  socket.connect();
  await states.next(isOpen);
  const updates = [];
  while (updates.length < 3) updates.push(await frames.next((frame) => frame.type === "counter_update" && "action" in frame));
  expect(updates).toMatchObject([{ counter: 1 }, { counter: 3 }, { counter: 6 }]);
  expect(socket.send({ type: "ping", timestamp: "T" })).toBe("sent");
  expect(await frames.next(is("pong"))).toEqual({ type: "pong", timestamp: "T" });
});

test("there is a bound to what waits, and it is told", async () => {
  const { socket } = endpoint("ws/counter/", { url: gateway.url, autoConnect: false, queue: 2 });
  const overflow = new Watcher<{ frame: unknown }>(socket, "overflow");
  expect([1, 2, 3].map((value) => socket.send({ action: "increment", value }))).toEqual(["queued", "queued", "refused"]);
  expect(await overflow.next()).toEqual({ frame: { action: "increment", value: 3 } });
});

test("what was missed comes after a reconnection, in order and once", async () => {
  const { socket, frames, states } = endpoint("ws/chat/missed/", { url: gateway.url, token: alice });
  const bob = endpoint("ws/chat/missed/", { url: gateway.url, token: await gateway.login("bob") });
  const recoveries = new Watcher<{ missed: number }>(socket, "recovery");
  await bob.frames.next(is("connected"));
  await frames.next(is("connected"));
  bob.socket.send({ type: "chat_message", message: "one" });
  await frames.next(is("chat_message"));
  socket.close();
  await states.next(isClosed);
  expect(socket.state.reason?.kind).toBe("asked");
  for (const message of ["two", "three"]) bob.socket.send({ type: "chat_message", message });
  await bob.frames.next((frame) => frame.type === "chat_message" && frame.message === "three");
  socket.connect();
  expect(await frames.next(is("chat_message"))).toMatchObject({ message: "two" });
  expect(await frames.next(is("chat_message"))).toMatchObject({ message: "three" });
  expect((await recoveries.next()).missed).toBeGreaterThanOrEqual(2);
  expect(frames.seen.filter(is("chat_message"))).toHaveLength(3);
});

test("a board that was loaded goes on from there", async () => {
  const path = "/api/projects/1/tickets/";
  const { since } = (await gateway.call("GET", path, undefined, alice)) as unknown as { since: string };
  await gateway.call("POST", path, { title: "Meanwhile" }, alice);
  const { socket, frames } = endpoint("ws/projects/1/tickets/", { url: gateway.url, token: alice, since });
  expect(await frames.next(is("ticket_update"))).toMatchObject({ action: "created", data: { title: "Meanwhile" } });
  const gaps = new Watcher(endpoint("ws/projects/1/tickets/", { url: gateway.url, token: alice, since: "nonsense.1" }).socket, "gap");
  await gaps.next();
  expect(Object.keys(socket.offsets)).toEqual(["project.1.tickets"]);
});

describe("what is in vain isn't tried again", () => {
  const cases: [string, () => Promise<string | undefined>, string, number][] = [
    ["ws/notifications/1/", async () => undefined, "token_missing", 4003],
    ["ws/notifications/1/", async () => "nonsense", "token_invalid", 4001],
    ["ws/notifications/2/", async () => alice, "not_yours", 4005],
    ["ws/chat/424242/", async () => alice, "denied", 4004],
    ["ws/events/acme/", async () => undefined, "unauthenticated", 4001],
    ["ws/events/acme/", () => gateway.login("carol"), "denied", 4003],
    ["ws/projects/424242/tickets/", async () => alice, "not_found", 4004],
    ["ws/system-health/", async () => alice, "denied", 4003],
  ];
  test.each(cases)("%s (%#)", async (path, token, kind, code) => {
    const { states } = endpoint(path, { url: gateway.url, token: (await token()) ?? "" });
    expect(await states.next(isClosed)).toMatchObject({ attempt: 0, reason: { kind, code } });
    expect(states.seen.map(({ status }) => status)).toEqual(["connecting", "closed"]);
  });
});

test("another token is asked for when one was refused, and the same one again is in vain", async () => {
  const asked: string[] = [];
  const renewed = endpoint("ws/notifications/1/", {
    url: gateway.url,
    token: ({ reason }) => {
      asked.push(reason);
      return reason === "refused" ? alice : "nonsense";
    },
  });
  expect(await renewed.states.next(isWaiting)).toMatchObject({ reason: { kind: "token_invalid", code: 4001 } });
  await renewed.states.next(isOpen);
  expect(asked).toEqual(["connect", "refused"]);

  const same = endpoint("ws/notifications/1/", { url: gateway.url, token: () => "nonsense" });
  expect(await same.states.next(isClosed)).toMatchObject({ reason: { kind: "token_invalid", code: 4001 } });
});

test("an administrator's disconnect is told, and it comes back", async () => {
  const { states } = endpoint("ws/chat/disconnected/", { url: gateway.url, token: alice });
  await states.next(isOpen);
  const admin = await gateway.login("admin");
  const list = "/api/monitoring/websocket/active-connections/?user=1&endpoint=chat";
  const { items } = (await gateway.call("GET", list, undefined, admin)) as unknown as {
    items: { id: string; parameters: { room_name: string } }[];
  };
  const { id } = items.find(({ parameters }) => parameters.room_name === "disconnected") as { id: string };
  await gateway.call("POST", `/api/monitoring/websocket/connections/${id}/disconnect/`, {}, admin);
  expect(await states.next(isWaiting)).toMatchObject({ attempt: 1, reason: { kind: "disconnected", code: 4102 } });
  await states.next(isOpen);
});
