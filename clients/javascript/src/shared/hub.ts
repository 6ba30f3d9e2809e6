import { CarillonClient } from "../carillon.js";
import type { ClientEvents } from "../client.js";
import type { TokenRequest } from "../token.js";
import type { FromTab, PlainOptions, Port } from "./messages.js";
import { Tab } from "./tab.js";

const events: (keyof ClientEvents)[] = ["state", "connected", "dropped", "overflow", "error"];

/** One connection, and the tabs that share it. */
export class Hub {
  readonly client: CarillonClient;
  readonly #tabs = new Set<Tab>();
  readonly #over: () => void;

  constructor(options: PlainOptions, over: () => void) {
    this.#over = over;
    this.client = new CarillonClient({ ...options, token: (request) => this.#token(request) });
    for (const name of events) {
      this.client.on(name, (value) => {
        for (const tab of this.#tabs) tab.told(name, value);
      });
    }
  }

  /** One that was over, since a token was not accepted, say, has another chance with another tab. */
  join(tab: Tab): void {
    this.#tabs.add(tab);
    tab.told("state", this.client.state);
    if (this.client.state.status === "closed") this.client.connect();
  }

  /** With the last tab the connection goes. */
  leave(tab: Tab): void {
    if (!this.#tabs.delete(tab) || this.#tabs.size > 0) return;
    this.client.close();
    this.#over();
  }

  /** Any tab may have a token; the latest one is asked first, since an old one may sleep. */
  async #token(request: TokenRequest): Promise<string | undefined> {
    let failure: unknown = new Error("there is no tab");
    for (const tab of [...this.#tabs].reverse()) {
      try {
        return await tab.token(request);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }
}

/** All connections of a worker, by who shares them. */
export class Hubs {
  readonly #hubs = new Map<string, Hub>();

  /** Serves a tab, from its greeting on. */
  serve(port: Port): void {
    port.onmessage = ({ data }: MessageEvent<FromTab>) => {
      if (data.do !== "hello") return;
      const { hub: key, options, lock } = data;
      const hub = this.#hubs.get(key) ?? new Hub(options, () => this.#hubs.delete(key));
      this.#hubs.set(key, hub);
      const tab = new Tab(port, hub, () => this.serve(port));
      // The lock is free when the tab has gone, however it went.
      if (lock) navigator.locks.request(lock, () => tab.leave()).catch(() => {});
    };
  }
}
