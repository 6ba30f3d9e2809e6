import { useState } from "react";
import type { Frame } from "../api/types.ts";
import { useEndpoint } from "../live/use-endpoint.ts";
import type { SystemHealth } from "./types.ts";

/** What the charts show of one moment. */
export interface Sample {
  readonly at: number;
  readonly connections: number;
  /** Per second, since the last one. */
  readonly sent: number;
  readonly received: number;
  readonly bytes: number;
  /** In milliseconds, each the worst that there was. */
  readonly bus: number;
  readonly database: number;
  readonly eventLoop: number;
}

/** Five minutes, at one every two seconds. */
const KEPT = 150;

/** Less than this between two reports makes no rate, in milliseconds. */
const TOO_SHORT = 900;

interface Known {
  readonly health: SystemHealth | undefined;
  readonly samples: readonly Sample[];
  /** Since when rates are counted. */
  readonly base: SystemHealth | undefined;
}

/** How the system does, and how it has done since the page was opened. */
export function useSystemHealth(): Known {
  const [known, setKnown] = useState<Known>({ health: undefined, samples: [], base: undefined });
  useEndpoint("ws/system-health/", {
    onFrame: (frame: Frame) => {
      if (frame.type === "system_health") setKnown((known) => reported(known, frame as unknown as SystemHealth));
    },
  });
  return known;
}

function reported({ samples, base }: Known, health: SystemHealth): Known {
  const passed = base ? at(health) - at(base) : 0;
  // A change that is told at once would make a rate of almost no time.
  if (base && passed < TOO_SHORT) return { health, samples, base };
  const rate = (figure: "messages_sent" | "messages_received" | "bytes_sent" | "bytes_received") =>
    base ? Math.max(0, health.metrics[figure] - base.metrics[figure]) / (passed / 1000) : 0;
  const sample: Sample = {
    at: at(health),
    connections: health.metrics.active_connections,
    sent: rate("messages_sent"),
    received: rate("messages_received"),
    bytes: rate("bytes_sent") + rate("bytes_received"),
    bus: health.nats.round_trip_ms,
    database: Math.max(0, ...health.databases.map(({ latency_ms }) => latency_ms)),
    eventLoop: health.event_loop.lag_ms,
  };
  return { health, samples: [...samples, sample].slice(-KEPT), base: health };
}

function at({ timestamp }: SystemHealth): number {
  return new Date(timestamp).getTime();
}
