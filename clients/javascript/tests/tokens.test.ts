import { afterAll, beforeAll, expect, test } from "vitest";
import type { TokenRequest } from "../src/index.js";
import { Gateway, minted } from "./support/gateway.js";
import { client, endpoint, isClosed, isOpen, isWaiting } from "./support/sockets.js";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await Gateway.start();
});
afterAll(() => gateway?.remove());

test("a token that ends is replaced before it does, on the same connection", async () => {
  const asked: TokenRequest[] = [];
  const first = minted(7, 50);
  const { states, frames } = endpoint("ws/notifications/", {
    url: gateway.url,
    token: (request) => {
      asked.push(request);
      return request.reason === "expiring" ? minted(7, 3600) : first;
    },
  });
  // The gateway warns a minute before.
  expect(await frames.next((frame) => frame.type === "refreshed")).toMatchObject({ expires_in: expect.any(Number) });
  expect(asked).toEqual([{ reason: "connect" }, { reason: "expiring", token: first }]);
  expect(states.seen.map(({ status }) => status)).toEqual(["connecting", "open"]);
});

test("the same over carillon.v1, which outlives the first token", async () => {
  const asked: string[] = [];
  const first = minted(7, 1);
  const renewed = client({
    url: gateway.url,
    token: ({ reason }) => {
      asked.push(reason);
      return reason === "expiring" ? minted(7, 3600) : first;
    },
  });
  const room = renewed.client.subscribe("room.lives-on");
  const ended = client({ url: gateway.url, token: first });
  ended.client.connect();
  expect(await ended.states.next(isClosed)).toMatchObject({ reason: { kind: "token_expired", code: 4101 } });
  expect(await room.publish({ type: "chat_message", message: "still here", client_id: "1" })).toMatchObject([{ type: "message_ack" }]);
  expect(asked).toEqual(["connect", "expiring"]);
  expect(renewed.states.seen.map(({ status }) => status)).toEqual(["connecting", "open"]);
});

test("an expired token is told as that, and another one is asked for", async () => {
  const { states } = endpoint("ws/notifications/django:7/", { url: gateway.url, token: minted(7, -10) });
  expect(await states.next(isClosed)).toMatchObject({ reason: { kind: "token_expired", code: 4002 } });

  const renewed = endpoint("ws/notifications/django:7/", {
    url: gateway.url,
    token: ({ reason }) => minted(7, reason === "refused" ? 3600 : -10),
  });
  expect(await renewed.states.next(isWaiting)).toMatchObject({ reason: { kind: "token_expired", code: 4002 } });
  await renewed.states.next(isOpen);
});

test("a token that ends without another closes for good", async () => {
  const { states } = endpoint("ws/notifications/django:7/", { url: gateway.url, token: minted(7, 1) });
  await states.next(isOpen);
  expect(await states.next(isClosed)).toMatchObject({ reason: { kind: "token_expired", code: 4002 } });
});

test("carillon.v1 without a token, with one that isn't valid, and with an expired one", async () => {
  for (const [token, kind, code] of [
    ["nonsense", "token_invalid", 4502],
    [minted(7, -10), "token_expired", 4101],
  ] as const) {
    const made = client({ url: gateway.url, token });
    made.client.connect();
    expect(await made.states.next(isClosed)).toMatchObject({ reason: { kind, code } });
  }
});

test("a token can be given by hand", async () => {
  const { socket, frames, states } = endpoint("ws/notifications/", { url: gateway.url, token: minted(7, 3600) });
  await states.next(isOpen);
  socket.refresh(minted(7, 7200));
  expect(await frames.next((frame) => frame.type === "refreshed")).toMatchObject({ expires_in: expect.any(Number) });
});
