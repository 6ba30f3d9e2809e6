import { useSyncExternalStore } from "react";

let words = "";
const listeners = new Set<() => void>();

/** Says something to those who don't see what has changed. */
export function announce(what: string): void {
  // The same words once more are news, too.
  words = what === words ? `${what}\u00a0` : what;
  for (const listener of listeners) listener();
}

export function Announcer() {
  const said = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => words,
  );
  return (
    <p className="visually-hidden" role="status" aria-label="What has changed">
      {said}
    </p>
  );
}
