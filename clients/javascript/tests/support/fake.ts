import { afterEach, beforeEach } from "vitest";
import { Clock } from "./clock.js";
import { FakeServer, type Visit } from "./server.js";
import { endpoint, isOpen } from "./sockets.js";

/** A greeting, with where its channels are. */
export const greeting = (...channels: [string, number][]) => ({
  type: "connection.established",
  epoch: "e1",
  channels: channels.map(([name, offset]) => ({ name, offset })),
});

/** An event of a channel's log. */
export const event = (channel: string, offset: number) => ({ type: "event", channel, offset });

/** A server that does what a test wants, and a clock that goes when it says so; new ones for each test. */
export class Fake {
  server!: FakeServer;
  clock!: Clock;

  /** A socket whose server has greeted it with `everyone` at 7 and `user.1` at 3. */
  async greeted(options = {}): Promise<ReturnType<typeof endpoint<"ws/events/1/">> & { visit: Visit }> {
    const made = endpoint("ws/events/1/", {
      url: this.server.url,
      timers: this.clock,
      backoff: { base: 1000, most: 30_000 },
      ...options,
    });
    const visit = await this.server.visit();
    visit.send(greeting(["everyone", 7], ["user.1", 3]));
    await made.states.next(isOpen);
    return { ...made, visit };
  }

  /** Until something is to happen in so many milliseconds. */
  async alarm(milliseconds: number): Promise<void> {
    while (this.clock.next !== milliseconds) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Has one in the tests of a file. */
export function startFake(): Fake {
  const fake = new Fake();
  beforeEach(async () => {
    fake.server = await FakeServer.start();
    fake.clock = new Clock();
  });
  afterEach(() => fake.server.stop());
  return fake;
}
