import { afterAll, beforeAll, expect, test } from "vitest";
import type { CarillonError, ChannelEvent, Ending } from "../src/index.js";
import { Gateway } from "./support/gateway.js";
import { client, isOpen } from "./support/sockets.js";
import { Watcher } from "./support/watcher.js";

let gateway: Gateway;
let alice: string;
let bob: string;
beforeAll(async () => {
  gateway = await Gateway.start();
  [alice, bob] = await Promise.all([gateway.login("alice"), gateway.login("bob")]);
});
afterAll(() => gateway?.remove());

type Event = ChannelEvent<{ type?: unknown; message?: unknown }>;
const says = (message: string) => (event: Event) => event.data.message === message;

test("channels share a connection, and each hears its own", async () => {
  const { client: one, states } = client({ url: gateway.url, token: alice });
  const user = one.subscribe("user.1");
  const room = one.subscribe("room.shared");
  const tickets = one.subscribe("project.1.tickets");
  const [notifications, messages, updates] = [user, room, tickets].map(
    (subscription) => new Watcher<Event>(subscription as never, "event"),
  );
  expect(await room.publish({ type: "chat_message", message: "Hello", client_id: "a" })).toMatchObject([
    { type: "message_ack", client_id: "a" },
  ]);
  expect(await messages?.next(says("Hello"))).toMatchObject({ offset: expect.any(Number), data: { username: "alice" } });
  await gateway.notify(1, "For Alice");
  expect(await notifications?.next(({ data }) => data.type === "notification")).toMatchObject({ data: { title: "For Alice" } });
  await gateway.call("POST", "/api/projects/1/tickets/", { title: "Fix login bug" }, alice);
  expect(await updates?.next(({ data }) => data.type === "ticket_update")).toMatchObject({
    data: { type: "ticket_update", action: "created", data: { title: "Fix login bug" } },
  });
  expect(one.userId).toBe(1);
  expect(states.seen.map(({ status }) => status)).toEqual(["connecting", "open"]);
});

test("who is there, and what was said", async () => {
  const { client: one } = client({ url: gateway.url, token: alice });
  const { client: other } = client({ url: gateway.url, token: bob });
  const room = one.subscribe("room.history");
  await room.presence();
  const theirs = other.subscribe("room.history");
  for (const message of ["one", "two"]) await room.publish({ type: "chat_message", message, client_id: message });
  await theirs.presence();
  const { count, members, next } = await room.presence({ limit: 1 });
  expect([count, members.map(({ username }) => username), typeof next]).toEqual([2, ["alice"], "string"]);
  expect((await room.presence({ after: next })).members).toMatchObject([{ username: "bob" }]);
  const { events, head } = await room.history({ after: 0, limit: 200 });
  expect(events.map(({ data }) => "message" in data && data.message)).toContain("two");
  expect(events.at(-1)?.offset).toBe(head);
});

test("a refusal has its code, and ends what it is about", async () => {
  const { client: one } = client({ url: gateway.url, token: alice });
  const refused = one.subscribe("org.nobodys");
  const ended = new Watcher<Ending>(refused, "ended");
  expect(await ended.next()).toEqual({ code: "denied", message: expect.any(String), retry: false });
  expect(refused.status).toBe("ended");
  await expect(refused.publish({ type: "x" })).rejects.toMatchObject({ name: "CarillonError", code: "unsubscribed" });
  const user = one.subscribe("user.1");
  await expect(user.presence()).rejects.toMatchObject({ code: "unsupported", retry: false });
});

test("several may listen to one channel, which is left with the last of them", async () => {
  const { client: one } = client({ url: gateway.url, token: alice });
  const { client: other } = client({ url: gateway.url, token: bob });
  const watching = other.subscribe("room.twice");
  const seen = new Watcher<Event>(watching, "event");
  await watching.presence();
  const first = one.subscribe("room.twice");
  await first.presence();
  const second = one.subscribe("room.twice");
  const events = new Watcher<Event>(second, "event");
  await new Watcher(second, "subscribed").next();
  first.unsubscribe();
  await second.publish({ type: "chat_message", message: "still here", client_id: "1" });
  await events.next(says("still here"));
  await seen.next(says("still here"));
  expect(seen.seen.some(({ data }) => "event" in data && data.event === "user_left")).toBe(false);
  second.unsubscribe();
  await seen.next(({ data }) => "event" in data && data.event === "user_left");
});

test("who unsubscribes and subscribes in one moment has never been away", async () => {
  const { client: one } = client({ url: gateway.url, token: alice });
  const room = one.subscribe("room.strict");
  await room.presence();
  const events = new Watcher<Event>(room, "event");
  room.unsubscribe();
  const again = one.subscribe("room.strict");
  const heard = new Watcher<Event>(again, "event");
  await again.publish({ type: "chat_message", message: "again", client_id: "1" });
  await heard.next(says("again"));
  expect(heard.seen.filter(({ data }) => data.type === "notification")).toEqual([]);
  expect(events.seen.some(says("again"))).toBe(false);
});

test("one that was left comes back anew", async () => {
  const { client: one } = client({ url: gateway.url, token: alice });
  const room = one.subscribe("room.anew");
  room.unsubscribe();
  await new Promise((resolve) => setImmediate(resolve));
  const again = one.subscribe("room.anew");
  const heard = new Watcher<Event>(again, "event");
  await again.publish({ type: "chat_message", message: "anew", client_id: "1" });
  await heard.next(says("anew"));
  expect([room.status, again.status]).toEqual(["ended", "subscribed"]);
});

test("requests of one moment leave together, and hundreds in several frames", async () => {
  const { client: one, states } = client({ url: gateway.url, token: alice });
  const room = one.subscribe("room.batches");
  one.connect();
  await states.next(isOpen);
  const sent = Array.from({ length: 250 }, (_, index) =>
    room.publish({ type: "chat_message", message: `${index}`, client_id: `${index}` }),
  );
  const acknowledged = (await Promise.all(sent)).map(([ack]) => ack?.message_id as number);
  expect(acknowledged).toEqual([...acknowledged].sort((a, b) => a - b));
  expect(new Set(acknowledged).size).toBe(250);
});

test("what is asked while offline waits up to the bound", async () => {
  const { client: one } = client({ url: "http://127.0.0.1:1", queue: 2 });
  const overflow = new Watcher<{ request: { data: unknown } }>(one, "overflow");
  const room = one.subscribe("room.full");
  const asked = [1, 2, 3].map((value) => room.publish({ value }).catch((error: CarillonError) => error.code));
  expect(await asked[2]).toBe("queue_full");
  expect((await overflow.next()).request.data).toEqual({ value: 3 });
  one.close();
  expect(await Promise.all(asked)).toEqual(["closed", "closed", "queue_full"]);
});

test("a channel may be resumed from an earlier visit", async () => {
  const { client: one } = client({ url: gateway.url, token: alice });
  const room = one.subscribe("room.visited");
  const earlier = new Watcher<Event>(room, "event");
  await room.publish({ type: "chat_message", message: "before", client_id: "1" });
  await earlier.next(says("before"));
  const { since } = room;
  one.close();
  const { client: later } = client({ url: gateway.url, token: alice });
  const sender = later.subscribe("room.visited", { since: since as string });
  const heard = new Watcher<Event>(sender, "event");
  const gaps = new Watcher(sender, "gap");
  await sender.publish({ type: "chat_message", message: "after", client_id: "2" });
  await heard.next(says("after"));
  expect(heard.seen.some(says("before"))).toBe(false);
  expect(gaps.seen).toEqual([]);
  const { client: lost } = client({ url: gateway.url, token: alice });
  const gap = new Watcher(lost.subscribe("room.visited", { since: "nonsense.3" }), "gap");
  expect(await gap.next()).toEqual({ channel: "room.visited" });
});
