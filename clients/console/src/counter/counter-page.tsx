import { useState } from "react";
import type { Frame } from "../api/types.ts";
import { useEndpoint } from "../live/use-endpoint.ts";
import { ago, useNow } from "../ui/when.ts";

type Action = "increment" | "decrement" | "reset";

interface Update {
  readonly action: Action;
  readonly value: number;
  readonly timestamp: string;
  readonly counter: number;
}

const SHOWN = 8;

/** The counter that everyone has in common (document 2). */
export function CounterPage() {
  const [total, setTotal] = useState<number>();
  const [users, setUsers] = useState<number>();
  const [updates, setUpdates] = useState<readonly Update[]>([]);
  const [failure, setFailure] = useState<string>();
  const now = useNow();
  const { send } = useEndpoint("ws/counter/", { onFrame });

  function onFrame(frame: Frame) {
    if (frame.type === "user_count_update") setUsers(Number(frame.count));
    if (frame.type === "error") setFailure(String(frame.message));
    if (frame.type !== "counter_update") return;
    setFailure(undefined);
    setTotal(Number(frame.counter));
    if (frame.action) setUpdates((known) => [frame as unknown as Update, ...known].slice(0, SHOWN));
  }
  const count = (action: Action, value: number) => send({ action, value });
  const counting = users === 1 ? "One person is counting" : `${users} people are counting`;
  return (
    <div className="narrow-page counter">
      <output className="counter-total" aria-label="Total">
        {total === undefined ? "–" : total.toLocaleString()}
      </output>
      <p className="quiet">{users === undefined ? "\u00a0" : counting}</p>
      {failure && (
        <p className="notice" role="alert">
          {failure}
        </p>
      )}
      <div className="counter-buttons">
        <button type="button" className="button button-large" onClick={() => count("decrement", 1)}>
          −1
        </button>
        <button type="button" className="button button-large button-primary" onClick={() => count("increment", 1)}>
          +1
        </button>
        <button type="button" className="button button-large" onClick={() => count("increment", 10)}>
          +10
        </button>
      </div>
      <button type="button" className="link-button" onClick={() => count("reset", 0)}>
        Back to zero
      </button>
      <ol className="counter-updates" aria-label="Latest changes">
        {updates.map((update) => (
          <li key={`${update.timestamp} ${update.counter}`}>
            <span>{inWords(update)}</span>
            <time dateTime={update.timestamp}>{ago(update.timestamp, now)}</time>
          </li>
        ))}
      </ol>
    </div>
  );
}

function inWords({ action, value, counter }: Update): string {
  if (action === "reset") return "Reset to 0";
  return `${action === "increment" ? "+" : "−"}${value} → ${counter.toLocaleString()}`;
}
