import type { AnyEndpointFrame, Greeted, Timestamp } from "./common.js";

export type Status = "healthy" | "degraded" | "unhealthy";

/** Milliseconds; null: not known, or not answered. */
export type Milliseconds = number | null;

/** The ten figures of `docs/protocol.md`. */
export interface Figures {
  active_connections: number;
  connections_today: number;
  messages_sent: number;
  messages_received: number;
  avg_connection_duration: number;
  messages_per_minute: number;
  [figure: string]: number;
}

export interface Replica {
  replica: string;
  host: string;
  process: number;
  version: string;
  since: Timestamp;
  state: "starting" | "ready" | "unready" | "stopping" | "lost";
  failures: Record<string, string>;
  event_loop_lag_ms: Milliseconds;
  memory_bytes: number | null;
  bus: { round_trip_ms: Milliseconds; reconnections: number; dropped: number };
}

/** How everything does: `/ws/system-health/` on entry, every two seconds, and at once when that changes. */
export interface SystemHealth extends Greeted {
  type: "system_health";
  cause: "snapshot" | "tick" | "change";
  timestamp: Timestamp;
  status: Status;
  reasons: { code: string; message: string; service?: string; replica?: string }[];
  services: { service: string; status: Status; ready: number; missing: number; replicas: Replica[] }[];
  nats: {
    kind: "nats" | "in-process";
    connected: boolean;
    version: string | null;
    round_trip_ms: Milliseconds;
    reconnections: number;
    dropped: number;
    streams: 0;
    stream_lag: 0;
    storage_bytes: 0;
  };
  databases: {
    service: string;
    engine: "postgres" | "sqlite";
    reachable: boolean;
    failure: string | null;
    latency_ms: Milliseconds;
    connections: { in_use: number; open: number; most: number };
    outbox: { debts: number; oldest_seconds: number };
  }[];
  event_loop: { lag_ms: Milliseconds; service?: string; replica?: string };
  metrics: Figures;
  changes: { at: Timestamp; kind: string; service?: string; replica?: string; from: string | null; to: string }[];
}

export type SystemHealthFrame = SystemHealth | AnyEndpointFrame;
