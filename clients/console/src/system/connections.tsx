import { useCallback, useEffect, useState } from "react";
import { Problem, request, said } from "../api/request.ts";
import { toast } from "../notifications/toasts.tsx";
import { SearchIcon } from "../ui/icons.tsx";
import { Empty, Failed, Skeleton } from "../ui/states.tsx";
import { ago, useNow } from "../ui/when.ts";
import { whole } from "./figures.ts";
import { Table } from "./table.tsx";
import type { Connection } from "./types.ts";

interface Page {
  readonly count: number;
  readonly items: readonly Connection[];
  readonly unanswered: readonly string[];
}

const PERIOD = 3_000;
const PATH = "/api/monitoring/websocket";
const COLUMNS = ["User", "Endpoint", "Channels", "Address", "Gateway", "#For", "#Sent", "#Received", "#Action"];

/** Who is connected, to any gateway. */
export function Connections() {
  const [filter, setFilter] = useState("");
  const { page, failure, load } = usePage();
  const shown = page?.items.filter((connection) => matches(connection, filter)) ?? [];
  return (
    <section>
      <div className="table-tools">
        <h2 id="connections" className="section-title">
          {page ? `${whole(page.count)} ${page.count === 1 ? "connection" : "connections"}` : "Connections"}
        </h2>
        <label className="search">
          <SearchIcon size={16} />
          <span className="visually-hidden">Filter connections</span>
          <input
            type="search"
            placeholder="User, address, endpoint…"
            value={filter}
            onChange={(event) => setFilter(event.target.value)}
          />
        </label>
      </div>
      {failure && <Failed message={failure} retry={() => void load()} />}
      {page && page.unanswered.length > 0 && (
        <p className="notice">{page.unanswered.length} gateways did not answer: their connections are not listed.</p>
      )}
      {!page && !failure && <Skeleton lines={6} />}
      {page && shown.length === 0 && <Empty title="Nobody that fits" />}
      {shown.length > 0 && (
        <Table labelledBy="connections" columns={COLUMNS}>
          {shown.map((connection) => (
            <Row key={connection.id} connection={connection} onDone={() => void load()} />
          ))}
        </Table>
      )}
    </section>
  );
}

/** The connections, asked for again and again while they are shown. */
function usePage() {
  const [page, setPage] = useState<Page>();
  const [failure, setFailure] = useState<string>();
  const load = useCallback(async () => {
    try {
      setPage(await request<Page>("GET", `${PATH}/active-connections/?limit=200`));
      setFailure(undefined);
    } catch (error) {
      setFailure(said(error));
    }
  }, []);
  useEffect(() => {
    void load();
    const timer = setInterval(() => void load(), PERIOD);
    return () => clearInterval(timer);
  }, [load]);
  return { page, failure, load };
}

function Row({ connection, onDone }: { connection: Connection; onDone: () => void }) {
  const now = useNow();
  const [asked, setAsked] = useState(false);
  const name = connection.username ?? (connection.user_id === null ? "anonymous" : `User ${connection.user_id}`);

  async function disconnect() {
    try {
      await request("POST", `${PATH}/connections/${encodeURIComponent(connection.id)}/disconnect/`);
      toast({ title: "Disconnected", message: `${name} may come back.` });
    } catch (error) {
      // Somebody who is gone already is what was wanted.
      const isGone = error instanceof Problem && error.status === 404;
      if (!isGone) toast({ title: "That didn't work", message: said(error), tone: "failure" });
    }
    onDone();
  }
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{connection.endpoint}</td>
      <td className="channels" title={connection.channels.join(", ")}>
        {connection.channels.join(", ")}
      </td>
      <td>{connection.address}</td>
      <td title={connection.gateway}>
        {connection.host} <span className="quiet">{connection.gateway.slice(0, 6)}</span>
      </td>
      <td className="number">{ago(connection.connected_at, now)}</td>
      <td className="number">{whole(connection.messages_sent)}</td>
      <td className="number">{whole(connection.messages_received)}</td>
      <td className="number">
        <button
          type="button"
          className={asked ? "button button-small button-danger" : "button button-small"}
          aria-label={`${asked ? "Really disconnect" : "Disconnect"} ${name} from ${connection.endpoint}`}
          onClick={() => (asked ? void disconnect() : setAsked(true))}
          onBlur={() => setAsked(false)}
        >
          {asked ? "Really?" : "Disconnect"}
        </button>
      </td>
    </tr>
  );
}

function matches({ username, user_id, address, endpoint, host, channels }: Connection, filter: string): boolean {
  const text = [username, user_id, address, endpoint, host, ...channels].join(" ").toLowerCase();
  return text.includes(filter.trim().toLowerCase());
}
