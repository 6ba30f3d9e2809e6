import { describe, expect, test } from "vitest";
import type { TokenRequest } from "../src/index.js";
import { greeting, startFake } from "./support/fake.js";
import { endpoint, isClosed, isOpen, isWaiting } from "./support/sockets.js";

// What the real server can't be made to do.
const fake = startFake();

describe("coming back", () => {
  test("waits longer each time, up to the bound, and anew after it was open", async () => {
    const { visit, states } = await fake.greeted();
    fake.clock.chance = 0.5;
    let last = visit;
    const waits: (number | undefined)[] = [];
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      last.socket.terminate();
      expect((await states.next(isWaiting)).attempt).toBe(attempt);
      waits.push(fake.clock.next);
      fake.clock.pass(fake.clock.next as number);
      last = await fake.server.visit();
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    last.send(greeting(["everyone", 7], ["user.1", 3]));
    await states.next(isOpen);
    last.socket.terminate();
    await states.next(isWaiting);
    expect(fake.clock.next).toBe(500);
  });

  test("is when the server has said, the first time", async () => {
    const { visit, states } = await fake.greeted();
    visit.send({ type: "reconnect", after_ms: 4321 });
    visit.socket.close(1012, "restart");
    expect(await states.next(isWaiting)).toMatchObject({ attempt: 1, reason: { kind: "restart" }, retryAt: fake.clock.now() + 4321 });
    fake.clock.pass(4320);
    expect(states.seen.at(-1)?.status).toBe("waiting");
    fake.clock.pass(1);
    const second = await fake.server.visit();
    second.send({ type: "reconnect", after_ms: 2000 });
    second.socket.close(4429, "connections_per_address");
    // Full houses are asked less and less often.
    expect(await states.next(isWaiting)).toMatchObject({
      attempt: 2,
      reason: { kind: "limit", code: 4429 },
      retryAt: fake.clock.now() + 2000 + 1000,
    });
  });

  test("is not, after a normal end, or after this side closed it", async () => {
    const { visit, states, socket } = await fake.greeted();
    visit.socket.close(1000, "bye");
    expect(await states.next(isClosed)).toMatchObject({ reason: { kind: "normal", code: 1000, message: "bye" } });
    expect(fake.clock.next).toBeUndefined();
    socket.connect();
    (await fake.server.visit()).send(greeting(["everyone", 7], ["user.1", 3]));
    await states.next(isOpen);
    socket.close();
    expect(states.seen.at(-1)).toMatchObject({ status: "closed", reason: { kind: "asked" } });
    expect(fake.clock.next).toBeUndefined();
  });

  test("is given up when the token that was refused is all that there is", async () => {
    const asked: TokenRequest[] = [];
    const { states } = endpoint("ws/events/1/", {
      url: fake.server.url,
      timers: fake.clock,
      token: (request) => {
        asked.push(request);
        return "the same";
      },
    });
    (await fake.server.visit()).socket.close(4001, "invalid token");
    await states.next(isWaiting);
    fake.clock.pass(60_000);
    expect(await states.next(isClosed)).toMatchObject({ reason: { kind: "unauthenticated", code: 4001, message: "invalid token" } });
    expect(asked).toEqual([{ reason: "connect" }, { reason: "refused", token: "the same" }]);
    expect(states.seen.map(({ status }) => status)).toEqual(["connecting", "waiting", "connecting", "closed"]);
  });

  test("is given up after some refusals in a row, though each token was another one", async () => {
    let number = 0;
    const { states } = endpoint("ws/events/1/", { url: fake.server.url, timers: fake.clock, token: () => `token-${++number}` });
    for (let refusal = 1; refusal <= 4; refusal += 1) {
      const visit = await fake.server.visit();
      expect(visit.url.searchParams.get("token")).toBe(`token-${refusal}`);
      visit.socket.close(4001, "invalid token");
      await states.next(refusal < 4 ? isWaiting : isClosed);
      fake.clock.pass(60_000);
    }
    expect(fake.clock.next).toBeUndefined();
  });

  test("outlives a callback that fails", async () => {
    let failures = 2;
    const { states } = endpoint("ws/events/1/", {
      url: fake.server.url,
      timers: fake.clock,
      token: async () => {
        if (failures-- > 0) throw new Error("no network");
        return "token";
      },
    });
    for (const attempt of [2, 3]) {
      expect(await states.next(isWaiting)).toMatchObject({ attempt, reason: { kind: "token_callback", message: "Error: no network" } });
      fake.clock.pass(60_000);
    }
    expect((await fake.server.visit()).url.searchParams.get("token")).toBe("token");
  });
});

test("a handshake that nobody answers is given up", async () => {
  const { states } = endpoint("ws/events/1/", {
    timers: fake.clock,
    url: fake.server.url,
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
  fake.clock.pass(5000);
  expect(states.seen.at(-1)).toMatchObject({ status: "waiting", reason: { kind: "network", message: "the handshake took too long" } });
});

test("a server that greets nobody has let a client in when it does not refuse", async () => {
  const { states } = endpoint("ws/elsewhere/", { url: fake.server.url, timers: fake.clock });
  const visit = await fake.server.visit();
  await fake.alarm(2000);
  fake.clock.pass(2000);
  await states.next(isOpen);
  expect(visit.unread).toEqual([]);
});
