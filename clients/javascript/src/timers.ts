/** Time and chance, as a client takes them: a test puts in its own, and nobody has to sleep. */
export interface Timers {
  /** Milliseconds since some moment that stays the same. */
  now(): number;
  setTimeout(run: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
  /** From 0 to just under 1. */
  random(): number;
}

/** The clock and the chance of where this runs. */
export const systemTimers: Timers = {
  now: () => Date.now(),
  setTimeout: (run, milliseconds) => setTimeout(run, milliseconds),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  random: () => Math.random(),
};
