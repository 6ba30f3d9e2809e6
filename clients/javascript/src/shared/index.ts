import type { Client } from "../client.js";
import type { TokenSource } from "../token.js";
import { Hubs } from "./hub.js";
import type { PlainOptions, Port } from "./messages.js";
import { SharedClient } from "./shared_client.js";

/** How the connection that tabs share is made. */
export interface SharedClientOptions extends PlainOptions {
  /** Asked in whichever tab is there. Tabs share a connection if their tokens are the same user's. */
  token?: TokenSource;
  /** Clients that are named the same share a connection. Default: `carillon`. */
  name?: string;
  /** Makes the worker, where a bundler needs to be told: a SharedWorker of `@carillon/client/shared/worker`, a module. */
  worker?: () => SharedWorker;
}

/**
 * A client of `carillon.v1` whose connection all tabs of a browser share, where the browser has a SharedWorker; elsewhere each tab has its own.
 * A tab that subscribes to a channel which another one listens to already is not greeted by the channel's owner: `history` and
 * `presence` tell it what it needs.
 */
export function createSharedClient({ name = "carillon", token, worker = ours, ...options }: SharedClientOptions = {}): Client {
  const url = options.url ?? (typeof location === "undefined" ? undefined : location.origin);
  const plain = { ...options, ...(url !== undefined && { url }) };
  if (typeof SharedWorker === "undefined") return new SharedClient(alone(), name, token, plain);
  try {
    const made = worker();
    const client = new SharedClient(made.port, name, token, plain);
    // It can't be loaded, by the page's policy, say.
    made.onerror = () => client.join(alone());
    return client;
  } catch {
    return new SharedClient(alone(), name, token, plain);
  }
}

function ours(): SharedWorker {
  return new SharedWorker(new URL("./worker.js", import.meta.url), { type: "module", name: "carillon" });
}

/** The same without a worker, for this tab alone. */
function alone(): Port {
  const { port1, port2 } = new MessageChannel();
  new Hubs().serve(port2);
  return port1;
}
