import type { ConnectionOptions } from "./options.js";
import type { Timers } from "./timers.js";

/** What a heartbeat does. */
export interface Pulse {
  ping(timestamp: number): void;
  silent(): void;
}

/** Sees to it that a connection over which nothing comes any more is not taken for one where nothing happens. */
export class Heartbeat {
  readonly #interval: number;
  readonly #patience: number;
  readonly #timers: Timers;
  readonly #pulse: Pulse;
  #timer: unknown;
  #heard = 0;
  #asked: number | undefined;
  #silent = false;

  constructor({ heartbeat = 25_000, patience = 10_000 }: ConnectionOptions, timers: Timers, pulse: Pulse) {
    this.#interval = heartbeat;
    this.#patience = patience;
    this.#timers = timers;
    this.#pulse = pulse;
  }

  start(): void {
    this.#heard = this.#timers.now();
    this.#next();
  }

  stop(): void {
    this.#timers.clearTimeout(this.#timer);
    this.#asked = undefined;
  }

  /** Something came. */
  heard(): void {
    this.#heard = this.#timers.now();
    this.#silent = false;
  }

  /** Whether this is the answer to the last ping, which nobody else has asked for. */
  answered(frame: Record<string, unknown>): boolean {
    if (this.#asked === undefined || frame?.type !== "pong" || frame.timestamp !== this.#asked) return false;
    this.#asked = undefined;
    return true;
  }

  /** Asks now whether the server is there. */
  probe(): void {
    if (!this.#interval) return;
    const asked = this.#timers.now();
    this.#asked = asked;
    this.#silent = true;
    this.#pulse.ping(asked);
    this.#wait(this.#patience, () => (this.#silent ? this.#pulse.silent() : this.#next()));
  }

  #next(): void {
    if (!this.#interval) return;
    const quiet = this.#timers.now() - this.#heard;
    this.#wait(Math.max(0, this.#interval - quiet), () => {
      if (this.#timers.now() - this.#heard >= this.#interval) this.probe();
      else this.#next();
    });
  }

  #wait(milliseconds: number, then: () => void): void {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = this.#timers.setTimeout(then, milliseconds);
  }
}
