import { useSyncExternalStore } from "react";

/** How all of the page's connections do, in a word. */
export type Health = "live" | "connecting" | "reconnecting" | "closed";

type Status = "idle" | "connecting" | "open" | "waiting" | "closed";

interface Known {
  readonly status: Status;
  /** It has been open before. */
  readonly wasOpen: boolean;
}

const known = new Map<object, Known>();
const listeners = new Set<() => void>();
let health: Health = "live";

/** Takes note of what a connection tells of itself; `undefined` when nobody needs it any more. */
export function note(connection: object, status: Status | undefined): void {
  if (status === undefined) known.delete(connection);
  else known.set(connection, { status, wasOpen: known.get(connection)?.wasOpen || status === "open" });
  const next = overall([...known.values()]);
  if (next === health) return;
  health = next;
  for (const listener of listeners) listener();
}

/** The worst of them: one that has lost its connection counts before one that is new. */
function overall(connections: readonly Known[]): Health {
  const away = connections.filter(({ status }) => status !== "open" && status !== "closed");
  if (away.some(({ status, wasOpen }) => wasOpen || status === "waiting")) return "reconnecting";
  if (connections.some(({ status }) => status === "closed")) return "closed";
  return away.length > 0 ? "connecting" : "live";
}

export function useHealth(): Health {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => health,
  );
}
