import type { Timers } from "./timers.js";

/** How long to wait before coming back. */
export interface Backoff {
  /** The most that the first attempt waits, in milliseconds; each further one may wait twice as long. Default: 1000. */
  base?: number;
  /** What no attempt waits longer than, in milliseconds. Default: 30,000. */
  most?: number;
}

/** Exponential backoff with full jitter: anything from nothing to the bound, so that a crowd comes back spread out. */
export function delay({ base = 1000, most = 30_000 }: Backoff, attempt: number, timers: Timers): number {
  return timers.random() * Math.min(most, base * 2 ** Math.min(attempt - 1, 30));
}
