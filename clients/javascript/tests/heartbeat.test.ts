import { describe, expect, test } from "vitest";
import { event, startFake } from "./support/fake.js";

// What the real server can't be made to do.
const fake = startFake();

describe("a heartbeat", () => {
  test("asks after silence, is not shown, and finds out that nobody is there", async () => {
    const { visit, frames, states } = await fake.greeted({ heartbeat: 25_000, patience: 10_000 });
    fake.clock.pass(25_000);
    const ping = (await visit.heard()) as { type: string; timestamp: number };
    expect(ping).toEqual({ type: "ping", timestamp: fake.clock.now() });
    visit.send({ type: "pong", timestamp: ping.timestamp }, { type: "end" });
    await frames.next((frame) => (frame as { type: string }).type === "end");
    expect(frames.seen.map(({ type }) => type)).not.toContain("pong");
    fake.clock.pass(10_000);
    expect(states.seen.at(-1)?.status).toBe("open");
    fake.clock.pass(15_000);
    await visit.heard();
    fake.clock.pass(10_000);
    expect(states.seen.at(-1)).toMatchObject({ status: "waiting", reason: { kind: "silent" } });
  });

  test("isn't needed while something comes", async () => {
    const { visit, frames } = await fake.greeted({ heartbeat: 25_000 });
    for (let time = 0; time < 5; time += 1) {
      fake.clock.pass(20_000);
      visit.send(event("everyone", 8 + time));
      await frames.next((frame) => (frame as { offset?: number }).offset === 8 + time);
    }
    expect(visit.unread).toEqual([]);
  });

  test("can be without", async () => {
    await fake.greeted({ heartbeat: 0 });
    expect(fake.clock.next).toBeUndefined();
  });
});
