import { afterAll, beforeAll, expect, test } from "vitest";
import type { ConnectionState } from "../src/index.js";
import { Clock } from "./support/clock.js";
import { Gateway } from "./support/gateway.js";
import { client, endpoint, isOpen } from "./support/sockets.js";
import { Watcher } from "./support/watcher.js";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await Gateway.start("--connections-per-user", "1", "--messages-per-minute", "3");
});
afterAll(() => gateway?.remove());

test("one connection too many comes back when the server says so, and gets in when there is room", async () => {
  const token = await gateway.login("alice");
  const clock = new Clock();
  const first = endpoint("ws/counter/", { url: gateway.url, token });
  await first.states.next(isOpen);
  const second = endpoint("ws/counter/", { url: gateway.url, token, timers: clock });
  const settled = ({ status }: ConnectionState) => status === "waiting" || status === "open";
  let state = await second.states.next(settled);
  expect(state).toMatchObject({ status: "waiting", reason: { kind: "limit", code: 4429 } });
  expect(state.retryAt).toBeGreaterThan(clock.now());
  first.socket.close();
  while (state.status === "waiting") {
    clock.pass(Number(state.retryAt) - clock.now());
    state = await second.states.next(settled);
  }
  expect(state.status).toBe("open");
});

test("a message too many is refused with the time after which it is heard", async () => {
  const one = client({ url: gateway.url, token: await gateway.login("bob") });
  const room = one.client.subscribe("room.limited");
  const states = new Watcher(room, "subscribed");
  await states.next();
  const asked = await Promise.allSettled([1, 2, 3].map(() => room.presence()));
  expect(asked.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  expect(asked[2]).toMatchObject({ reason: { code: "rate_limited", retry: true, retryAfter: expect.any(Number) } });
});
