import { ago, useNow } from "../ui/when.ts";
import { bytes, milliseconds } from "./figures.ts";
import { Table } from "./table.tsx";
import type { DatabaseHealth, Replica, Service } from "./types.ts";

/** Each service with its replicas. */
export function Services({ services }: { services: readonly Service[] }) {
  return (
    <section aria-labelledby="services">
      <h2 id="services" className="section-title">
        Services
      </h2>
      <ul className="services">
        {services.map(({ service, status, ready, missing, replicas }) => (
          <li key={service} className="service">
            <p className="service-head">
              <span className={`health-dot health-${status}`} aria-hidden="true" />
              <strong>{service}</strong>
              <span className="quiet">
                {ready} ready{missing > 0 && `, ${missing} missing`}
              </span>
              <span className="visually-hidden">{status}</span>
            </p>
            <ul className="replicas">
              {replicas.map((replica) => (
                <OneReplica key={replica.replica} replica={replica} />
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </section>
  );
}

function OneReplica({ replica }: { replica: Replica }) {
  const now = useNow();
  return (
    <li className={`replica replica-${replica.state}`}>
      <span className="replica-name" title={`process ${replica.process}, version ${replica.version}`}>
        {replica.host} <span className="quiet">{replica.replica.slice(0, 6)}</span>
      </span>
      <span className="replica-state">{replica.state}</span>
      <span className="replica-facts">
        {bytes(replica.memory_bytes)} · lag {milliseconds(replica.event_loop_lag_ms)} ms · up {ago(replica.since, now)}
      </span>
      {Object.entries(replica.failures).map(([part, why]) => (
        <span key={part} className="replica-failure">
          {part}: {why}
        </span>
      ))}
    </li>
  );
}

/** What each service keeps its data in. */
export function Databases({ databases }: { databases: readonly DatabaseHealth[] }) {
  return (
    <section>
      <h2 id="databases" className="section-title">
        Databases
      </h2>
      <Table labelledBy="databases" columns={["Service", "Engine", "State", "#Latency", "#Connections", "#Outbox"]}>
        {databases.map((database) => (
          <tr key={database.service}>
            <th scope="row">{database.service}</th>
            <td>{database.engine}</td>
            <td>{database.reachable ? "reachable" : (database.failure ?? "unreachable")}</td>
            <td className="number">{milliseconds(database.latency_ms)} ms</td>
            <td className="number">
              {database.connections.in_use} of {database.connections.most}
            </td>
            <td className="number">{database.outbox.debts}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}
