import { useState } from "react";
import { Skeleton } from "../ui/states.tsx";
import { Chart } from "./chart.tsx";
import { Connections } from "./connections.tsx";
import { bytes, decimal, milliseconds, seconds, whole } from "./figures.ts";
import { Databases, Services } from "./services.tsx";
import type { Figures, SystemHealth } from "./types.ts";
import { type Sample, useSystemHealth } from "./use-health.ts";

/** How all of Carillon does, for admins. */
export default function SystemPage() {
  const { health, samples } = useSystemHealth();
  const [tab, setTab] = useState<"health" | "connections">("health");
  const chip = (name: typeof tab, label: string) => (
    <button type="button" className="chip" aria-pressed={tab === name} onClick={() => setTab(name)}>
      {label}
    </button>
  );
  return (
    <div className="system">
      {/* biome-ignore lint/a11y/useSemanticElements: two buttons are no fieldset */}
      <div className="tabs" role="group" aria-label="View">
        {chip("health", "Health")}
        {chip("connections", "Connections")}
      </div>
      {tab === "connections" && <Connections />}
      {tab === "health" && !health && <Skeleton lines={8} />}
      {tab === "health" && health && (
        <>
          <Summary health={health} />
          <Tiles figures={health.metrics} />
          <Charts samples={samples} />
          <Services services={health.services} />
          <Databases databases={health.databases} />
        </>
      )}
    </div>
  );
}

const WORDS = { healthy: "Everything works", degraded: "Works, with difficulties", unhealthy: "Something is down" };

function Summary({ health }: { health: SystemHealth }) {
  return (
    <section className={`summary summary-${health.status}`} aria-label="Status">
      <span className="summary-dot" aria-hidden="true" />
      <div role="status">
        <p className="summary-title">{WORDS[health.status]}</p>
        {health.reasons.map(({ code, message }) => (
          <p key={`${code} ${message}`}>{message}</p>
        ))}
        {health.reasons.length === 0 && <p>No service, database or connection gives reason to worry.</p>}
      </div>
    </section>
  );
}

function Tiles({ figures }: { figures: Figures }) {
  const tiles: readonly (readonly [string, string])[] = [
    ["Connections", whole(figures.active_connections)],
    ["Opened today", whole(figures.connections_today)],
    ["Messages a minute", whole(figures.messages_per_minute)],
    ["Average duration", seconds(figures.avg_connection_duration)],
    ["Refused", whole(figures.handshakes_refused)],
    ["Sent in all", bytes(figures.bytes_sent)],
  ];
  return (
    <dl className="tiles">
      {tiles.map(([label, value]) => (
        <div key={label} className="tile">
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Charts({ samples }: { samples: readonly Sample[] }) {
  const times = samples.map(({ at }) => at);
  const of = (figure: keyof Sample, label: string, tone: 1 | 2 | 3) => {
    return { label, tone, values: samples.map((sample) => sample[figure]) };
  };
  const rates = [of("sent", "to clients", 1), of("received", "from clients", 2)];
  const delays = [of("bus", "bus", 1), of("database", "database", 2), of("eventLoop", "event loop", 3)];
  return (
    <div className="charts">
      <Chart title="Connections" unit="" times={times} format={whole} series={[of("connections", "open", 1)]} />
      <Chart title="Messages" unit="/s" times={times} format={decimal} series={rates} />
      <Chart title="Traffic" unit="/s" times={times} format={bytes} series={[of("bytes", "both ways", 1)]} />
      <Chart title="Latency" unit="ms" times={times} format={milliseconds} series={delays} />
    </div>
  );
}
