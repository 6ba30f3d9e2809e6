import type { BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { ChannelEvent, Client, ConnectionState } from "../src/index.js";
import { createSharedClient, type SharedClientOptions } from "../src/shared/index.js";
import { Site } from "./support/browser.js";
import { Gateway } from "./support/gateway.js";
import { client, isOpen } from "./support/sockets.js";
import { Watcher } from "./support/watcher.js";

// In a real Chromium, with the package as it is built.
let gateway: Gateway;
let site: Site;
let visitor: BrowserContext;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  [gateway, site] = await Promise.all([Gateway.start(), Site.start()]);
  for (const name of ["alice", "bob", "carol", "admin"]) tokens[name] = await gateway.login(name);
});
afterAll(async () => {
  await site?.stop();
  await gateway?.remove();
});
beforeEach(async () => {
  visitor = await site.visitor();
});

afterEach(() => visitor.close());

/** What the page has of its own. */
interface Held {
  createSharedClient: (options: SharedClientOptions) => Client;
  client: Client;
  messages: string[];
  asked: number;
}

/** Subscribes a tab to a room, and waits until it listens. */
async function listens(tab: Page, room: string, user = "alice", script?: string): Promise<void> {
  await tab.evaluate(
    async ([url, token, channel, script]) => {
      const page = window as unknown as Held;
      page.asked = 0;
      const askedFor = () => {
        page.asked += 1;
        return token;
      };
      const worker = script === undefined ? {} : { worker: () => new SharedWorker(script, { type: "module" }) };
      page.client = page.createSharedClient({ url: url as string, token: askedFor, backoff: { base: 100 }, ...worker });
      page.messages = [];
      const subscription = page.client.subscribe(channel as `room.${string}`);
      subscription.on("event", ({ data }) => data.type === "chat_message" && page.messages.push(data.message));
      await subscription.presence();
    },
    [gateway.url, tokens[user], `room.${room}`, script],
  );
}

async function hears(tab: Page, message: string): Promise<void> {
  await tab.waitForFunction((message) => (window as unknown as Held).messages.includes(message), message);
}

const messages = (tab: Page) => tab.evaluate(() => (window as unknown as Held).messages);

/** Who is connected with carillon.v1, by user. */
async function connections(user: number): Promise<number> {
  const path = `/api/monitoring/websocket/active-connections/?user=${user}`;
  const { items } = (await gateway.call("GET", path, undefined, tokens.admin)) as unknown as { items: { endpoint: string }[] };
  return items.filter(({ endpoint }) => endpoint === "carillon.v1").length;
}

/** Somebody else in the room, who says things and sees who comes and goes. */
function bystander(room: string) {
  const made = client({ url: gateway.url, token: tokens.bob as string });
  const subscription = made.client.subscribe(`room.${room}`);
  const events = new Watcher<ChannelEvent<Record<string, unknown>>>(subscription as never, "event");
  const says = (message: string) => subscription.publish({ type: "chat_message", message, client_id: message });
  const goes = (username: string) => events.next(({ data }) => data.event === "user_left" && data.username === username);
  return { subscription, says, goes, states: made.states };
}

test("tabs share one connection, which lives as long as the last of them", async () => {
  const bob = bystander("shared");
  await bob.subscription.presence();
  const [first, second] = [await site.tab(visitor), await site.tab(visitor)];
  await listens(first, "shared");
  await listens(second, "shared");
  expect(await connections(1)).toBe(1);
  await bob.says("to both");
  await Promise.all([hears(first, "to both"), hears(second, "to both")]);
  await first.evaluate(() => {
    const { client } = window as unknown as Held;
    return client.subscribe("room.shared").publish({ type: "chat_message", message: "from the first" });
  });
  await hears(second, "from the first");

  await first.close();
  await bob.says("to the second");
  await hears(second, "to the second");
  expect(await messages(second)).toEqual(["to both", "from the first", "to the second"]);
  expect(await connections(1)).toBe(1);
  await second.close();
  await bob.goes("alice");
});

test("a channel that only a closed tab has listened to is left, and another tab's token is asked for", async () => {
  const bob = bystander("first-only");
  await bob.subscription.presence();
  const [first, second] = [await site.tab(visitor), await site.tab(visitor)];
  await listens(first, "first-only");
  await listens(second, "second-only");
  await first.close();
  await bob.goes("alice");
  const asked = await second.evaluate(() => (window as unknown as Held).asked);
  const elsewhere = bystander("second-only");
  await elsewhere.states.next(isOpen);
  await gateway.stop("SIGKILL");
  await gateway.start();
  await elsewhere.says("after the restart");
  await hears(second, "after the restart");
  expect(await second.evaluate(() => (window as unknown as Held).asked)).toBeGreaterThan(asked);
});

test("tabs of different users share nothing", async () => {
  const [first, second] = [await site.tab(visitor), await site.tab(visitor)];
  await listens(first, "users", "alice");
  await listens(second, "users", "bob");
  expect(await Promise.all([first, second].map((tab) => tab.evaluate(() => (window as unknown as Held).client.userId)))).toEqual([1, 2]);
  await Promise.all([first.close(), second.close()]);
});

test("where there is no SharedWorker, or it can't be loaded, each tab has its own connection", async () => {
  const bob = bystander("alone");
  const without = await site.tab(visitor);
  await without.evaluate(() => Reflect.deleteProperty(window, "SharedWorker"));
  const missing = await site.tab(visitor);
  await listens(without, "alone", "carol");
  await listens(missing, "alone", "carol", "/nowhere.js");
  await bob.says("to each");
  await Promise.all([hears(without, "to each"), hears(missing, "to each")]);
  expect(await connections(3)).toBe(2);
  await Promise.all([without.close(), missing.close()]);
  await bob.goes("carol");
});

test("a tab that closes its client keeps the other's, and may come back", async () => {
  const [first, second] = [await site.tab(visitor), await site.tab(visitor)];
  await listens(first, "again");
  await listens(second, "again");
  const state = await first.evaluate(() => {
    const { client } = window as unknown as Held;
    client.close();
    return client.state.status;
  });
  expect(state).toBe("closed");
  const bob = bystander("again");
  await bob.says("one");
  await hears(second, "one");
  await first.evaluate(async () => {
    const page = window as unknown as Held;
    const subscription = page.client.subscribe("room.again");
    subscription.on("event", ({ data }) => data.type === "chat_message" && page.messages.push(data.message));
    await subscription.presence();
  });
  await bob.says("two");
  await hears(first, "two");
  expect(await messages(first)).toEqual(["two"]);
});

test("refusals and states reach the tab", async () => {
  // Where there is no browser, a connection of its own goes the same way.
  const made = createSharedClient({ url: gateway.url, token: async () => tokens.alice as string });
  const states = new Watcher<ConnectionState>(made, "state");
  const refused = made.subscribe("org.nobodys");
  const room = made.subscribe("room.states");
  expect(await new Watcher(refused, "ended").next()).toMatchObject({ code: "denied" });
  await states.next(isOpen);
  await expect(refused.presence()).rejects.toMatchObject({ name: "CarillonError", code: "unsubscribed" });
  await expect(made.subscribe("user.1").presence()).rejects.toMatchObject({ name: "CarillonError", code: "unsupported" });
  expect(await room.publish({ type: "chat_message", message: "x", client_id: "1" })).toMatchObject([{ type: "message_ack" }]);
  expect([made.userId, room.status, room.since]).toEqual([1, "subscribed", expect.stringMatching(/^\w+\.\d+$/)]);
  const pending = room.history();
  made.close();
  await expect(pending).rejects.toMatchObject({ code: "closed" });
});
