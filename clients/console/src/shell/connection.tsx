import { type Health, useHealth } from "../live/connections.ts";

const WORDS: Record<Health, string> = {
  live: "Live",
  connecting: "Connecting…",
  reconnecting: "Reconnecting…",
  closed: "Not connected",
};

/** Whether what is shown is current. */
export function ConnectionPill() {
  const health = useHealth();
  return (
    <span className={`pill pill-${health}`} role="status" aria-label={`Connection: ${WORDS[health]}`}>
      <span className="pill-dot" aria-hidden="true" />
      <span className="pill-word">{WORDS[health]}</span>
    </span>
  );
}

/** What that means for whoever is about to write something. */
export function Banner() {
  const health = useHealth();
  return (
    <div className={health === "reconnecting" ? "banner is-shown" : "banner"} aria-live="polite">
      {health === "reconnecting" && (
        <p>
          <span className="spinner spinner-small" aria-hidden="true" />
          Reconnecting… What you write is kept, and sent as soon as the connection is back.
        </p>
      )}
    </div>
  );
}
