import type { Timers } from "../../src/index.js";

interface Alarm {
  at: number;
  run: () => void;
}

/** Time that passes when a test says so; chance always comes down in the same place. */
export class Clock implements Timers {
  chance = 0.5;
  #now = 1_000_000;
  readonly #alarms = new Set<Alarm>();

  now(): number {
    return this.#now;
  }

  setTimeout(run: () => void, milliseconds: number): unknown {
    const alarm = { at: this.#now + milliseconds, run };
    this.#alarms.add(alarm);
    return alarm;
  }

  clearTimeout(alarm: unknown): void {
    this.#alarms.delete(alarm as Alarm);
  }

  random(): number {
    return this.chance;
  }

  /** How long until something happens by itself; undefined: nothing will. */
  get next(): number | undefined {
    const earliest = [...this.#alarms].sort((one, other) => one.at - other.at)[0];
    return earliest && earliest.at - this.#now;
  }

  /** Lets so many milliseconds pass, with all that happens in them. */
  pass(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (;;) {
      const due = [...this.#alarms].filter(({ at }) => at <= until).sort((one, other) => one.at - other.at)[0];
      if (!due) break;
      this.#alarms.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = until;
  }
}
