import type { ConnectionState, Unlisten } from "../index.js";

/** How the connection does by which something is kept up to date. */
export interface Connected {
  isConnected: boolean;
  connection: ConnectionState;
}

/** Before there is one. */
export const unconnected: Connected = { isConnected: false, connection: { status: "idle", attempt: 0 } };

/** As it is now. */
export function connected(connection: ConnectionState): Connected {
  return { isConnected: connection.status === "open", connection };
}

/** Something that components show: a state, which is kept up to date while at least one of them is there. */
export abstract class Store<State extends object> {
  #state: State;
  readonly #listeners = new Set<() => void>();
  #users = 0;
  #running = false;

  constructor(initial: State) {
    this.#state = initial;
  }

  /** Begins to keep it up to date. */
  protected abstract start(): void;
  /** Nobody shows it any more. */
  protected abstract stop(): void;

  readonly subscribe = (listener: () => void): Unlisten => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly snapshot = (): State => this.#state;

  /** One more shows it; until what this returns is called. */
  readonly retain = (): Unlisten => {
    this.#users += 1;
    if (!this.#running) {
      this.#running = true;
      this.start();
    }
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#users -= 1;
      setTimeout(() => this.#rest(), 0);
    };
  };

  protected update(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of [...this.#listeners]) listener();
  }

  /** Effects that run twice (React's StrictMode), and a page that shows another view, take it up again in the same moment. */
  #rest(): void {
    if (this.#users > 0 || !this.#running) return;
    this.#running = false;
    this.stop();
  }
}
