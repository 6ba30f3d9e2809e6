import type { Unlisten } from "../../src/index.js";

interface Source {
  on(name: never, listener: (value: never) => void): Unlisten;
}

/** What a client has told of one kind, in order; a test waits for what it needs, and never for time to pass. */
export class Watcher<Value> {
  readonly seen: Value[] = [];
  readonly #waiting = new Set<() => void>();
  #read = 0;

  constructor(source: Source, name: string) {
    source.on(name as never, (value: never) => {
      this.seen.push(value);
      for (const wake of [...this.#waiting]) wake();
    });
  }

  /** The next one that is like this; those before it are passed over. */
  async next(matches: (value: Value) => boolean = () => true): Promise<Value> {
    for (;;) {
      while (this.#read < this.seen.length) {
        const value = this.seen[this.#read] as Value;
        this.#read += 1;
        if (matches(value)) return value;
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }
}
