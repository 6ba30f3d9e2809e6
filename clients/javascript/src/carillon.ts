import { address } from "./address.js";
import type { Client, ClientEvents, SubscribeOptions, Subscription } from "./client.js";
import { Connection } from "./connection.js";
import { Emitter } from "./emitter.js";
import { CarillonError } from "./failure.js";
import type { EventOf, Id } from "./frames/index.js";
import type { ConnectionOptions } from "./options.js";
import { type Request, Requests } from "./requests.js";
import { ChannelSession } from "./session.js";
import type { ConnectionState } from "./state.js";
import { Listening } from "./subscription.js";
import { systemTimers } from "./timers.js";

/** How a client of `carillon.v1` connects. */
export interface ClientOptions extends ConnectionOptions {
  /** Default: `ws/v1/`. */
  path?: string;
}

/** `carillon.v1` over one connection of this page. It connects when it is first needed. */
export class CarillonClient extends Emitter<ClientEvents> implements Client {
  readonly #options: ClientOptions;
  readonly #connection: Connection;
  readonly #requests: Requests;
  readonly #sessions = new Map<string, ChannelSession>();
  #userId: Id | null | undefined;
  #number = 0;

  constructor(options: ClientOptions = {}) {
    super();
    this.#options = options;
    this.#requests = new Requests(options.queue, (text) => this.#connection.transmit(text));
    this.#connection = new Connection(options, {
      address: () => address(options.path ?? "ws/v1/", options.url),
      subprotocols: options.tokenIn === "subprotocol" ? ["carillon.v1"] : [],
      refresh: (token) => ({ id: `refresh-${++this.#number}`, type: "refresh", token }),
      opened: () => this.#opened(),
      received: (frame) => this.#received(frame),
      changed: (state) => this.#changed(state),
    });
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  get userId(): Id | null | undefined {
    return this.#userId;
  }

  connect(): void {
    this.#connection.connect();
  }

  close(): void {
    this.#connection.close();
  }

  refresh(token: string): void {
    this.#connection.refresh(token);
  }

  subscribe<Channel extends string>(channel: Channel, options: SubscribeOptions = {}): Subscription<EventOf<Channel>> {
    let session = this.#sessions.get(channel);
    if (!session) {
      session = this.#session(channel, options);
      this.#sessions.set(channel, session);
      if (this.state.status === "open") session.subscribe();
      else if (this.state.status === "idle") queueMicrotask(() => this.state.status === "idle" && this.connect());
    }
    return new Listening<EventOf<Channel>>(session, (request) => this.#ask(request));
  }

  #session(channel: string, options: SubscribeOptions): ChannelSession {
    return new ChannelSession(channel, options, {
      backoff: this.#options.backoff ?? {},
      timers: this.#options.timers ?? systemTimers,
      request: (request, then) => this.#requests.add(request, then),
      isOpen: () => this.state.status === "open",
      forget: (session) => this.#forget(session),
    });
  }

  #forget(session: ChannelSession): void {
    if (this.#sessions.get(session.channel) !== session) return;
    this.#sessions.delete(session.channel);
    const gone = new CarillonError("unsubscribed", `nobody listens to ${session.channel} here any more`);
    this.#requests.abandon(gone, session.channel);
    const nothing = () => {};
    if (this.state.status === "open") {
      this.#requests.add({ type: "unsubscribe", channel: session.channel }, { answered: nothing, refused: nothing });
    }
  }

  async #ask(request: Request): Promise<Record<string, unknown>> {
    const { status } = this.state;
    if (status === "closed") throw new CarillonError("closed", "the connection is over");
    if (!this.#sessions.has(String(request.channel))) throw new CarillonError("unsubscribed", `${request.channel} is not subscribed to`);
    if (status !== "open" && this.#requests.full) {
      this.emit("overflow", { request });
      throw new CarillonError("queue_full", "too much waits for a connection", true);
    }
    return new Promise((answered, refused) => this.#requests.add(request, { answered, refused }));
  }

  #opened(): void {
    for (const session of this.#sessions.values()) session.subscribe();
  }

  #changed(state: ConnectionState): void {
    if (state.status === "waiting" || state.status === "closed") {
      for (const session of this.#sessions.values()) session.interrupted();
      this.#requests.interrupted();
    }
    if (state.status === "closed") {
      this.#requests.abandon(new CarillonError("closed", state.reason?.message ?? "the connection is over"));
    }
    this.emit("state", state);
  }

  #received(frame: Record<string, unknown>): void {
    if (frame.id !== undefined && this.#requests.answered(frame)) return;
    const session = this.#sessions.get(String(frame.channel));
    if (frame.type === undefined) session?.event(frame.data, frame.offset as number | undefined);
    else if (frame.type === "recovery") session?.recovery(Boolean(frame.recovered), Number(frame.missed ?? 0));
    else if (frame.type === "unsubscribed" && frame.id === undefined) session?.ended(frame as never);
    else if (frame.type === "dropped") this.emit("dropped", { count: Number(frame.count) });
    else if (frame.type === "error") this.emit("error", { code: String(frame.code), message: String(frame.message) });
    else if (frame.type === "connected") {
      this.#userId = frame.user_id as Id | null;
      this.emit("connected", { connection: String(frame.connection), user_id: this.#userId });
    }
  }
}

/** A client of `carillon.v1`: any number of channels on one connection. */
export function createClient(options?: ClientOptions): Client {
  return new CarillonClient(options);
}
