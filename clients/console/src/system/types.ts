/** What `/ws/system-health/` and the monitoring API tell (docs/protocol.md, Monitoring). */

export interface Figures {
  readonly active_connections: number;
  readonly connections_today: number;
  readonly messages_sent: number;
  readonly messages_received: number;
  readonly messages_per_minute: number;
  readonly bytes_sent: number;
  readonly bytes_received: number;
  readonly handshakes_refused: number;
  readonly avg_connection_duration: number;
}

export type State = "healthy" | "degraded" | "unhealthy";

export interface Replica {
  readonly replica: string;
  readonly host: string;
  readonly process: number;
  readonly version: string;
  readonly since: string;
  readonly state: "starting" | "ready" | "unready" | "stopping" | "lost";
  readonly failures: Readonly<Record<string, string>>;
  readonly event_loop_lag_ms: number;
  readonly memory_bytes: number;
}

export interface Service {
  readonly service: string;
  readonly status: State;
  readonly ready: number;
  readonly missing: number;
  readonly replicas: readonly Replica[];
}

export interface DatabaseHealth {
  readonly service: string;
  readonly engine: string;
  readonly reachable: boolean;
  readonly failure: string | null;
  readonly latency_ms: number;
  readonly connections: { readonly in_use: number; readonly most: number };
  readonly outbox: { readonly debts: number; readonly oldest_seconds: number };
}

export interface SystemHealth {
  readonly type: "system_health";
  readonly status: State;
  readonly timestamp: string;
  readonly reasons: readonly { readonly code: string; readonly message: string }[];
  readonly services: readonly Service[];
  readonly nats: { readonly kind: string; readonly connected: boolean; readonly round_trip_ms: number };
  readonly databases: readonly DatabaseHealth[];
  readonly event_loop: { readonly lag_ms: number };
  readonly metrics: Figures;
}

export interface Connection {
  readonly id: string;
  readonly gateway: string;
  readonly host: string;
  readonly endpoint: string;
  readonly transport: string;
  readonly user_id: number | string | null;
  readonly username: string | null;
  readonly address: string;
  readonly channels: readonly string[];
  readonly connected_at: string;
  readonly messages_sent: number;
  readonly messages_received: number;
}
