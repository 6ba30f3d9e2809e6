import { useEffect, useState } from "react";
import { request } from "../api/request.ts";
import type { Activity, Ticket } from "../api/types.ts";
import { nameOf } from "../people/directory.ts";
import { useProject } from "../project/project.tsx";
import { ago, useNow } from "../ui/when.ts";

/** What has happened to a ticket, for those who want to know. */
export function TicketHistory({ ticket }: { ticket: Ticket }) {
  const { project } = useProject();
  const [open, setOpen] = useState(false);
  const [entries, setEntries] = useState<readonly Activity[]>();
  const now = useNow();
  const path = `/api/projects/${encodeURIComponent(project.id)}/tickets/${ticket.ticket_id}/activity/`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of the ticket is one more entry
  useEffect(() => {
    if (!open) return;
    const found = request<{ activity: Activity[] }>("GET", `${path}?limit=100`);
    void found.then(({ activity }) => setEntries(activity), console.warn);
  }, [open, path, ticket.version, ticket.comments]);
  return (
    <details className="history" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>History</summary>
      <ol>
        {entries?.map((entry) => (
          <li key={entry.number}>
            <strong>{entry.actor ? nameOf(entry.actor) : "A back end"}</strong> {inWords(entry)}
            <time dateTime={entry.at}>{ago(entry.at, now)}</time>
          </li>
        ))}
      </ol>
    </details>
  );
}

function inWords({ action, changes }: Activity): string {
  const changed = Object.entries(changes ?? {});
  if (action !== "updated" || changed.length === 0) return `${action.replaceAll("_", " ")} `;
  return `${changed.map(([field, { to }]) => `set ${field.replaceAll("_", " ")} to ${shown(to)}`).join(", ")} `;
}

function shown(value: unknown): string {
  if (value === null || value === "") return "nothing";
  if (Array.isArray(value)) return value.join(", ") || "nothing";
  if (typeof value !== "object") return `“${String(value).slice(0, 60)}”`;
  const { name, username, first_name } = value as Record<string, string>;
  return name ?? (first_name || username || "somebody");
}
