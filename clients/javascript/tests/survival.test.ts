import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ChannelEvent } from "../src/index.js";
import { Gateway } from "./support/gateway.js";
import { client, endpoint, isOpen, isWaiting } from "./support/sockets.js";
import { Watcher } from "./support/watcher.js";

let gateway: Gateway;
let alice: string;
let bob: string;
beforeEach(async () => {
  gateway = await Gateway.start();
  [alice, bob] = await Promise.all([gateway.login("alice"), gateway.login("bob")]);
});
afterEach(() => gateway?.remove());

const numbered = (frame: Record<string, unknown>) => (frame.type === "chat_message" ? [Number(frame.message)] : []);

describe.each(["SIGTERM", "SIGKILL"] as const)("a gateway that ends by %s", (signal) => {
  test("loses nothing that was said in a room, and nothing comes twice", async () => {
    const listener = endpoint("ws/chat/survives/", { url: gateway.url, token: alice });
    const speaker = endpoint("ws/chat/survives/", { url: gateway.url, token: bob });
    await Promise.all([listener, speaker].map(({ states }) => states.next(isOpen)));
    const say = (number: number) => speaker.socket.send({ type: "chat_message", message: `${number}`, client_id: `n${number}` });
    for (let number = 0; number < 10; number += 1) say(number);
    await gateway.stop(signal);
    const { reason } = await listener.states.next(isWaiting);
    if (signal === "SIGTERM") expect(reason).toMatchObject({ kind: "restart", code: 1012 });
    else expect(reason?.kind).toBe("network");
    await speaker.states.next(isWaiting);
    for (let number = 10; number < 20; number += 1) expect(say(number)).toBe("queued");
    await gateway.start();
    await listener.frames.next((frame) => frame.type === "chat_message" && frame.message === "19");
    const heard = listener.frames.seen.flatMap((frame) => numbered(frame as Record<string, unknown>));
    expect(heard).toEqual(Array.from({ length: 20 }, (_, number) => number));
  });

  test("loses nothing of carillon.v1's channels, and answers what was asked meanwhile", async () => {
    const listener = client({ url: gateway.url, token: alice });
    const speaker = client({ url: gateway.url, token: bob });
    const heard = ["room.one", "room.two"].map((room) => listener.client.subscribe(room));
    const events = heard.map((room) => new Watcher<ChannelEvent<never>>(room as never, "event"));
    const rooms = ["room.one", "room.two"].map((room) => speaker.client.subscribe(room));
    await Promise.all([...heard, ...rooms].map((room) => room.presence()));
    const say = (number: number) =>
      Promise.all(rooms.map((room) => room.publish({ type: "chat_message", message: `${number}`, client_id: `n${number}` })));
    const first = Array.from({ length: 10 }, (_, number) => say(number));
    await Promise.all(first.slice(0, 5));
    await gateway.stop(signal);
    await speaker.states.next(isWaiting);
    const second = Array.from({ length: 10 }, (_, number) => say(number + 10));
    const present = rooms[0]?.presence();
    await gateway.start();
    await Promise.all([...first, ...second]);
    expect(await present).toMatchObject({ count: expect.any(Number) });
    for (const watcher of events) {
      await watcher.next(({ data }) => (data as { message?: string }).message === "19");
      const heard = watcher.seen.flatMap(({ data }) => numbered(data));
      expect(heard).toEqual(Array.from({ length: 20 }, (_, number) => number));
    }
  });
});

test("what can't be recovered is told, and it goes on from there", async () => {
  const { socket, frames, states } = endpoint("ws/chat/gap/", { url: gateway.url, token: () => gateway.login("alice") });
  const gaps = new Watcher(socket, "gap");
  await states.next(isOpen);
  await gateway.replace();
  await gaps.next();
  socket.send({ type: "chat_message", message: "anew", client_id: "1" });
  expect(await frames.next((frame) => frame.type === "chat_message")).toMatchObject({ message: "anew" });
  expect(socket.offsets).toEqual({ "room.gap": expect.any(Number) });
});

test("a gateway that hangs is found out, though its sockets are open, and nothing is lost", async () => {
  const options = { url: gateway.url, heartbeat: 200, patience: 2000 };
  const { frames, states } = endpoint("ws/chat/hangs/", { ...options, token: alice });
  const speaker = endpoint("ws/chat/hangs/", { ...options, token: bob });
  await Promise.all([states.next(isOpen), speaker.states.next(isOpen)]);
  gateway.hold(true);
  speaker.socket.send({ type: "chat_message", message: "into silence", client_id: "1" });
  expect(await states.next(isWaiting)).toMatchObject({ reason: { kind: "silent" } });
  await speaker.states.next(isWaiting);
  expect(await states.next(isWaiting)).toMatchObject({ reason: { kind: "network", message: "the handshake took too long" } });
  gateway.hold(false);
  await states.next(isOpen);
  await frames.next((frame) => frame.type === "chat_message");
  await speaker.states.next(isOpen);
  speaker.socket.send({ type: "chat_message", message: "the end", client_id: "2" });
  await frames.next((frame) => frame.type === "chat_message" && frame.message === "the end");
  expect(frames.seen.flatMap((frame) => (frame.type === "chat_message" ? [frame.message] : []))).toEqual(["into silence", "the end"]);
});
