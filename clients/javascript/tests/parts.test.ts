import { describe, expect, test } from "vitest";
import { delay } from "../src/backoff.js";
import { channelName, meaning } from "../src/index.js";
import { Outbox } from "../src/outbox.js";
import { Place } from "../src/place.js";
import { Clock } from "./support/clock.js";

describe("backoff", () => {
  test("doubles up to its bound, and waits anything from nothing to that", () => {
    const clock = new Clock();
    const bounds = [1, 2, 3, 4, 5, 6, 7, 100].map((attempt) => {
      clock.chance = 1;
      return delay({ base: 500, most: 10_000 }, attempt, clock);
    });
    expect(bounds).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
    clock.chance = 0;
    expect(delay({}, 5, clock)).toBe(0);
    clock.chance = 0.25;
    expect(delay({}, 3, clock)).toBe(1000);
  });
});

describe("close codes", () => {
  const everywhere: [number, string, string][] = [
    [1000, "normal", "stop"],
    [1001, "restart", "retry"],
    [1006, "network", "retry"],
    [1011, "network", "retry"],
    [1012, "restart", "retry"],
    [1013, "overloaded", "retry"],
    [4102, "disconnected", "retry"],
    [4429, "limit", "retry"],
  ];
  const documents0to3: [number, string, string][] = [
    [4001, "unauthenticated", "renew"],
    [4003, "denied", "stop"],
    [4004, "not_found", "stop"],
  ];
  const document4: [number, string, string][] = [
    [4001, "token_invalid", "renew"],
    [4002, "token_expired", "renew"],
    [4003, "token_missing", "renew"],
    [4004, "denied", "stop"],
    [4005, "not_yours", "stop"],
  ];
  const tables: [string, [number, string, string][]][] = [
    ["/ws/notifications/", documents0to3],
    ["/ws/events/acme/", documents0to3],
    ["/ws/counter/", documents0to3],
    ["/ws/collaboration/plan/", documents0to3],
    ["/ws/projects/1/tickets/", documents0to3],
    ["/ws/system-health/", documents0to3],
    ["/ws/notifications/7/", document4],
    ["/behind/a/proxy/ws/notifications/7", document4],
    ["/ws/chat/general/", document4],
    ["/ws/chat/7/", document4],
    [
      "/ws/documents/plan",
      [
        [1003, "unacceptable", "stop"],
        [1007, "unacceptable", "stop"],
        [4401, "unauthenticated", "renew"],
        [4403, "denied", "stop"],
        [4413, "unacceptable", "stop"],
      ],
    ],
    [
      "/ws/v1/",
      [
        [4101, "token_expired", "renew"],
        [4501, "token_missing", "renew"],
        [4502, "token_invalid", "renew"],
        [4503, "denied", "stop"],
      ],
    ],
  ];
  test.each(tables)("of %s", (path, codes) => {
    for (const [code, kind, remedy] of [...everywhere, ...codes]) expect([code, ...meaning(path, code)]).toEqual([code, kind, remedy]);
  });
});

describe("place", () => {
  test("is empty at first, then the greeting's, then that of the last events", () => {
    const place = new Place();
    expect(place.since).toBe("");
    place.greeted("e1", [
      { name: "everyone", offset: 7 },
      { name: "user.42", offset: 3 },
    ]);
    expect(place.since).toBe("e1.7.3");
    expect(place.advance("user.42", 4)).toBe(true);
    expect(place.advance("user.42", 4)).toBe(false);
    expect(place.since).toBe("e1.7.4");
  });

  test("is kept while it comes back, until what was missed is there", () => {
    const place = new Place();
    place.greeted("e1", [{ name: "everyone", offset: 7 }]);
    place.greeted("e1", [{ name: "everyone", offset: 9 }]);
    expect(place.since).toBe("e1.7");
    place.recovered(true);
    expect(place.since).toBe("e1.7");
    expect(place.advance("everyone", 8)).toBe(true);
    expect(place.since).toBe("e1.8");
  });

  test("may be brought along, and is what was missed counted from", () => {
    const place = new Place("e1.5.2");
    expect(place.since).toBe("e1.5.2");
    const heads = [
      { name: "everyone", offset: 7 },
      { name: "user.42", offset: 3 },
    ];
    place.greeted("e1", heads);
    place.recovered(true);
    expect(place.advance("everyone", 6)).toBe(true);
    expect(place.since).toBe("e1.6.2");
    const lost = new Place("e0.5.2");
    lost.greeted("e1", heads);
    lost.recovered(false);
    expect(lost.since).toBe("e1.7.3");
  });

  test("is the greeting's where what was missed is gone", () => {
    const place = new Place();
    place.greeted("e1", [{ name: "everyone", offset: 7 }]);
    place.greeted("e2", [{ name: "everyone", offset: 2 }]);
    place.recovered(false);
    expect(place.since).toBe("e2.2");
    expect(place.advance("everyone", 3)).toBe(true);
  });
});

test("an outbox keeps the order, and takes no more than its bound", () => {
  const outbox = new Outbox<number>(3);
  expect([1, 2, 3, 4].map((item) => outbox.add(item))).toEqual([true, true, true, false]);
  const sent: number[] = [];
  outbox.flush((item) => item < 3 && sent.push(item) > 0);
  outbox.restore([1, 2]);
  outbox.flush((item) => sent.push(item) > 0);
  expect(sent).toEqual([1, 2, 1, 2, 3]);
});

test("names of channels are written as the protocol has them", () => {
  expect(channelName("everyone")).toBe("everyone");
  expect(channelName("project", 1, "tickets")).toBe("project.1.tickets");
  expect(channelName("room", "a.b *café☕")).toBe("room.a=2Eb=20=2Acaf=C3=A9=E2=98=95");
});
