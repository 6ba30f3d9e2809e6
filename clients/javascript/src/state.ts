import type { Reason } from "./reasons.js";

/** How a connection does; for whoever shows it. */
export interface ConnectionState {
  /**
   * `idle`: not asked to connect yet. `connecting`: being made. `open`. `waiting`: it will be made again, at `retryAt`. `closed`: it is over;
   * only `connect()` brings it back.
   */
  readonly status: "idle" | "connecting" | "open" | "waiting" | "closed";
  /** Attempts since it was last open; 0 while it is. */
  readonly attempt: number;
  /** Why it isn't open any more, or why the last attempt failed. */
  readonly reason?: Reason;
  /** When the next attempt is made, in milliseconds by the timers' clock, while `waiting`. */
  readonly retryAt?: number;
}
