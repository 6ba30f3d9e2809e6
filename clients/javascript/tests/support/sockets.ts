import { afterEach } from "vitest";
import {
  type Client,
  type ClientOptions,
  type ConnectionState,
  connect,
  createClient,
  type EndpointOptions,
  type EndpointSocket,
  type FrameOf,
} from "../../src/index.js";
import { Watcher } from "./watcher.js";

const open: { close(): void }[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

type Watched<Path extends string> = {
  socket: EndpointSocket<FrameOf<Path>>;
  frames: Watcher<FrameOf<Path>>;
  states: Watcher<ConnectionState>;
};

/** A socket that is closed after the test, and what it tells. */
export function endpoint<Path extends string>(path: Path, options: EndpointOptions): Watched<Path> {
  const socket = connect(path, { backoff: { base: 100 }, ...options });
  open.push(socket);
  return { socket, frames: new Watcher(socket, "frame"), states: new Watcher(socket, "state") };
}

/** The same of `carillon.v1`. */
export function client(options: ClientOptions): { client: Client; states: Watcher<ConnectionState> } {
  const made = createClient({ backoff: { base: 100 }, ...options });
  open.push(made);
  return { client: made, states: new Watcher(made, "state") };
}

/** For a watcher of states. */
export const isOpen = ({ status }: ConnectionState) => status === "open";
export const isWaiting = ({ status }: ConnectionState) => status === "waiting";
export const isClosed = ({ status }: ConnectionState) => status === "closed";
