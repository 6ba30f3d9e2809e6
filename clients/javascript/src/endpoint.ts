import { address } from "./address.js";
import { Connection } from "./connection.js";
import { Emitter } from "./emitter.js";
import type { FrameOf, Sendable } from "./frames/index.js";
import type { ConnectionOptions } from "./options.js";
import { Outbox } from "./outbox.js";
import { Place } from "./place.js";
import type { ConnectionState } from "./state.js";
import { systemTimers, type Timers } from "./timers.js";

/** What can be said about one endpoint beside what holds for every connection. */
export interface EndpointOptions extends ConnectionOptions {
  /** Further parameters, as `{history: 50}` or `{dialect: "ticketing"}`. */
  query?: Readonly<Record<string, string | number | boolean>>;
  /** The place to begin from, as a list of tickets brings along, for instance, so that nothing is missed after it. */
  since?: string;
  /** Whether it connects by itself. Default: true. */
  autoConnect?: boolean;
}

/** What became of a frame: it is on its way, it waits for a connection, or there was no room for it. */
export type Sent = "sent" | "queued" | "refused";

/** Something was missed that doesn't come any more: load the state anew. */
export interface Gap {
  /** Of this channel alone; undefined: of all. */
  readonly channel?: string;
}

/** What an endpoint's socket tells. */
export interface EndpointEvents<Frame> {
  /** A frame of the endpoint, each event once and in order. */
  frame: Frame;
  state: ConnectionState;
  gap: Gap;
  /** After a reconnection: so many events were missed, and follow. */
  recovery: { readonly missed: number };
  /** The server left out so many ephemeral events, because this client reads too slowly. */
  dropped: { readonly count: number };
  /** There was no room for this frame: nothing more is taken until there is a connection. */
  overflow: { readonly frame: unknown };
}

/** One of the documents' endpoints, over one socket after the other. */
export class EndpointSocket<Frame = Record<string, unknown>> extends Emitter<EndpointEvents<Frame>> {
  readonly path: string;
  readonly #connection: Connection;
  readonly #place: Place;
  readonly #outbox: Outbox<Sendable>;
  /** Sent with a `client_id`, and not acknowledged: sent again after a reconnection, since the server knows repetitions by it. */
  readonly #unacknowledged = new Map<unknown, Sendable>();
  readonly #timers: Timers;
  #timer: unknown;

  constructor(path: string, options: EndpointOptions = {}) {
    super();
    this.path = path;
    this.#place = new Place(options.since);
    this.#outbox = new Outbox(options.queue);
    this.#timers = options.timers ?? systemTimers;
    this.#connection = new Connection(options, {
      address: () => this.#address(options),
      subprotocols: [],
      refresh: (token) => ({ type: "refresh", token }),
      opened: () => this.#flush(),
      received: (frame) => this.#received(frame),
      changed: (state) => this.#changed(state),
    });
    if (options.autoConnect !== false) queueMicrotask(() => this.state.status === "idle" && this.connect());
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** The last offset of each channel that it has seen. */
  get offsets(): Readonly<Record<string, number>> {
    return this.#place.offsets;
  }

  connect(): void {
    this.#connection.connect();
  }

  /** Ends it; what waits to be sent is forgotten. */
  close(): void {
    this.#connection.close();
    this.#outbox.clear();
    this.#unacknowledged.clear();
  }

  /** Sends a frame, or keeps it until there is a connection. One that is over takes none. */
  send(frame: Sendable): Sent {
    if (this.state.status === "closed") return "refused";
    if (this.#outbox.length === 0 && this.#transmit(frame)) return "sent";
    if (this.#outbox.add(frame)) return "queued";
    this.emit("overflow", { frame });
    return "refused";
  }

  /** Goes on with another token. */
  refresh(token: string): void {
    this.#connection.refresh(token);
  }

  #address(options: EndpointOptions): URL {
    const url = address(this.path, options.url);
    for (const [name, value] of Object.entries(options.query ?? {})) url.searchParams.set(name, String(value));
    url.searchParams.set("since", this.#place.since);
    return url;
  }

  #transmit(frame: Sendable): boolean {
    if (!this.#connection.send(frame)) return false;
    if (frame.client_id !== undefined) this.#unacknowledged.set(frame.client_id, frame);
    return true;
  }

  #flush(): void {
    this.#outbox.flush((frame) => this.#transmit(frame));
  }

  /** Something was one message too many, and nobody says which: what isn't acknowledged is sent again when it is heard. */
  #later(seconds: number): void {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = this.#timers.setTimeout(() => {
      for (const frame of this.#unacknowledged.values()) this.#connection.send(frame);
    }, seconds * 1000);
  }

  #changed(state: ConnectionState): void {
    if (state.status === "waiting" || state.status === "closed") {
      this.#timers.clearTimeout(this.#timer);
      this.#outbox.restore([...this.#unacknowledged.values()]);
      this.#unacknowledged.clear();
    }
    this.emit("state", state);
  }

  #received(frame: Record<string, unknown>): void {
    const { type, channel, offset, epoch, channels, recovered, count } = frame;
    if (typeof channel === "string" && typeof offset === "number" && !this.#place.advance(channel, offset)) return;
    if (typeof epoch === "string" && Array.isArray(channels)) this.#place.greeted(epoch, channels);
    if (frame.client_id !== undefined && (type === "message_ack" || type === "error")) this.#unacknowledged.delete(frame.client_id);
    if (type === "recovery") {
      if (channel === undefined) this.#place.recovered(Boolean(recovered));
      if (recovered) this.emit("recovery", { missed: Number(frame.missed ?? 0) });
      else this.emit("gap", typeof channel === "string" ? { channel } : {});
    }
    if (type === "error" && frame.code === "rate_limited") this.#later(Number(frame.retry_after));
    if (type === "dropped") this.emit("dropped", { count: Number(count) });
    this.emit("frame", frame as Frame);
  }
}

/** A socket to one of the documents' endpoints, as `connect("ws/notifications/", { token })`; its frames are typed by the path. */
export function connect<Path extends string>(path: Path, options?: EndpointOptions): EndpointSocket<FrameOf<Path>> {
  return new EndpointSocket<FrameOf<Path>>(path, options);
}
