import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ConnectionState, connect as connectTo } from "../src/index.js";
import { Site } from "./support/browser.js";
import { Gateway, minted } from "./support/gateway.js";

// What only a browser has: its own WebSocket, and its word that the network is back.
let gateway: Gateway;
let site: Site;
let visitor: BrowserContext;
beforeAll(async () => {
  [gateway, site] = await Promise.all([Gateway.start(), Site.start()]);
  visitor = await site.visitor();
});
afterAll(async () => {
  await site?.stop();
  await gateway?.remove();
});

interface Held {
  connect: typeof connectTo;
  states: ConnectionState[];
  frames: unknown[];
}

/** Connects to a user's notifications in a page; waits ten minutes to come back. */
async function connects(tab: Page, token: string): Promise<void> {
  await tab.evaluate(
    ([url, token]) => {
      const page = window as unknown as Held;
      const timers = {
        now: () => Date.now(),
        random: () => 1,
        setTimeout: (run: () => void, milliseconds: number) => setTimeout(run, milliseconds),
        clearTimeout: (timer: unknown) => clearTimeout(timer as number),
      };
      page.states = [];
      page.frames = [];
      const options = { url: url as string, token: token as string, timers, backoff: { base: 600_000, most: 600_000 } };
      const socket = page.connect("ws/notifications/", options);
      socket.on("state", (state) => page.states.push(state));
      socket.on("frame", (frame) => page.frames.push(frame));
    },
    [gateway.url, token],
  );
}

const enters = (tab: Page, status: string) =>
  tab.waitForFunction((status) => (window as unknown as Held).states.at(-1)?.status === status, status);
const seen = (tab: Page) => tab.evaluate(() => (window as unknown as Held).states);

test("a page sees why it was refused, and does not come back", async () => {
  const tab = await site.tab(visitor);
  await connects(tab, minted(7, -3600));
  await enters(tab, "closed");
  expect((await seen(tab)).at(-1)).toMatchObject({
    reason: { kind: "unauthenticated", code: 4001, message: expect.stringContaining("expired") },
  });
});

test("a page comes back when the network does, and misses nothing", async () => {
  const tab = await site.tab(visitor);
  await connects(tab, await gateway.login("alice"));
  await enters(tab, "open");
  await gateway.stop("SIGKILL");
  await enters(tab, "waiting");
  await gateway.start();
  await gateway.notify(1, "While it was away");
  await visitor.setOffline(true);
  await visitor.setOffline(false);
  await enters(tab, "open");
  await tab.waitForFunction(() => JSON.stringify((window as unknown as Held).frames).includes("While it was away"));
});
