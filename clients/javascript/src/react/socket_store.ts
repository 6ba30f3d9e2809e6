import {
  type ConnectionState,
  connect,
  type EndpointOptions,
  type EndpointSocket,
  type Sendable,
  type Sent,
  type Unlisten,
} from "../index.js";
import { Store, unconnected } from "./store.js";

/** A frame of any endpoint, as the documents' components take it: they look into it without ado. */
// biome-ignore lint/suspicious/noExplicitAny: what is in it depends on the endpoint, and the documents' code names its members.
export type AnyFrame = Record<string, any>;

/** How one socket does. */
export interface SocketState {
  connection: ConnectionState;
  /** The last frame; null before there is one. */
  lastMessage: AnyFrame | null;
}

/** One socket to an endpoint, for every component that needs it. */
export class SocketStore extends Store<SocketState> {
  readonly path: string;
  readonly #options: EndpointOptions;
  readonly #frames = new Set<(frame: AnyFrame) => void>();
  readonly #gaps = new Set<() => void>();
  #socket: EndpointSocket<AnyFrame> | undefined;
  #greeting: AnyFrame | undefined;

  constructor(path: string, options: EndpointOptions) {
    super({ connection: unconnected.connection, lastMessage: null });
    this.path = path;
    this.#options = options;
  }

  /** Listens to frames. Whoever comes late is greeted as the first one was. */
  onFrame(listener: (frame: AnyFrame) => void): Unlisten {
    this.#frames.add(listener);
    if (this.#greeting) listener(this.#greeting);
    return () => void this.#frames.delete(listener);
  }

  /** Tells how the connection does, now and whenever that changes. */
  onState(listener: (connection: ConnectionState) => void): Unlisten {
    let last: ConnectionState | undefined;
    const look = () => {
      const { connection } = this.snapshot();
      if (connection === last) return;
      last = connection;
      listener(connection);
    };
    look();
    return this.subscribe(look);
  }

  get isOpen(): boolean {
    return this.snapshot().connection.status === "open";
  }

  /** Listens to what was missed and doesn't come any more. */
  onGap(listener: () => void): Unlisten {
    this.#gaps.add(listener);
    return () => void this.#gaps.delete(listener);
  }

  /** What was asked for with its address. */
  get query(): Readonly<Record<string, unknown>> {
    return this.#options.query ?? {};
  }

  send = (frame: Sendable): Sent => this.#socket?.send(frame) ?? "refused";

  connect = (): void => this.#socket?.connect();

  disconnect = (): void => this.#socket?.close();

  protected override start(): void {
    const socket = connect(this.path as string, this.#options) as EndpointSocket<AnyFrame>;
    this.#socket = socket;
    socket.on("state", (connection) => this.update({ connection }));
    socket.on("gap", () => {
      for (const listener of [...this.#gaps]) listener();
    });
    socket.on("frame", (frame) => this.#received(frame));
  }

  protected override stop(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#greeting = undefined;
    this.update({ connection: unconnected.connection });
  }

  #received(frame: AnyFrame): void {
    if (/^connect(ed$|ion)/.test(String(frame.type))) this.#greeting = frame;
    this.#options.log?.("✅ [WebSocket] Received:", frame);
    for (const listener of [...this.#frames]) listener(frame);
    this.update({ lastMessage: frame });
  }
}
