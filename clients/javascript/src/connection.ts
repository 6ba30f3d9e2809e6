import { shown } from "./address.js";
import { delay } from "./backoff.js";
import { Heartbeat } from "./heartbeat.js";
import type { ConnectionOptions, WebSocketConstructor, WebSocketLike } from "./options.js";
import { meaning, type Reason } from "./reasons.js";
import type { ConnectionState } from "./state.js";
import { systemTimers, type Timers } from "./timers.js";
import { ask, type TokenRequest, type TokenSource } from "./token.js";

/** What a protocol does with a connection that comes and goes. */
export interface Protocol {
  /** The address of the next attempt, but for the token. */
  address(): URL;
  /** Subprotocols that are offered. */
  readonly subprotocols: readonly string[];
  /** The frame that gives the server a new token. */
  refresh(token: string): unknown;
  /** Frames get through from now on. */
  opened(): void;
  received(frame: Record<string, unknown>): void;
  changed(state: ConnectionState): void;
}

/** A server without a greeting has let a client in when it has said nothing to the contrary for so long, in milliseconds. */
const SETTLED = 2000;

/** So many tokens in a row may be refused before coming back is given up. */
const REFUSALS = 3;

/** One WebSocket after the other: comes back when it breaks, as it is told to, and unless that is in vain. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #protocol: Protocol;
  readonly #timers: Timers;
  readonly #heartbeat: Heartbeat;
  #state: ConnectionState = { status: "idle", attempt: 0 };
  #source: TokenSource | undefined;
  #token: string | undefined;
  #socket: WebSocketLike | undefined;
  /** What belongs to an earlier attempt is of no concern any more. */
  #generation = 0;
  #timer: unknown;
  #comeBackAfter: number | undefined;
  #refusals = 0;
  #unlisten: (() => void) | undefined;

  constructor(options: ConnectionOptions, protocol: Protocol) {
    this.#options = options;
    this.#protocol = protocol;
    this.#timers = options.timers ?? systemTimers;
    this.#source = options.token;
    this.#heartbeat = new Heartbeat(options, this.#timers, {
      ping: (timestamp) => void this.send({ type: "ping", timestamp }),
      silent: () => this.#broke({ kind: "silent", message: "nothing was heard any more" }),
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Connects, unless it has done so already; after `close` it begins anew. */
  connect(): void {
    const { status } = this.#state;
    if (status !== "idle" && status !== "closed") return;
    this.#refusals = 0;
    this.#unlisten = whenBack(() => this.#wake());
    this.#attempt(1);
  }

  /** Ends it; nothing brings it back but `connect`. */
  close(reason: Reason = { kind: "asked", message: "closed by this side" }): void {
    this.#drop();
    this.#unlisten?.();
    this.#enter({ status: "closed", attempt: 0, reason });
  }

  /** Sends a frame, if the connection is open. */
  send(frame: unknown): boolean {
    return this.transmit(JSON.stringify(frame));
  }

  /** Sends a frame that is text already. */
  transmit(text: string): boolean {
    if (this.#state.status !== "open" || this.#socket?.readyState !== 1) return false;
    this.#socket.send(text);
    return true;
  }

  /** Goes on with another token, without a new connection where there is one. */
  refresh(token: string): void {
    if (typeof this.#source !== "function") this.#source = token;
    this.#token = token;
    this.send(this.#protocol.refresh(token));
  }

  #attempt(attempt: number, why: TokenRequest["reason"] = "connect"): void {
    const { reason } = this.#state;
    const generation = ++this.#generation;
    this.#enter({ status: "connecting", attempt, ...(reason && attempt > 1 && { reason }) });
    const last = this.#token;
    ask(this.#source, { reason: why, ...(last && { token: last }) }).then(
      (token) => {
        if (generation !== this.#generation) return;
        if (why === "refused" && token === last) return this.close(reason);
        this.#token = token;
        this.#open();
      },
      (error) => {
        if (generation === this.#generation) this.#broke({ kind: "token_callback", message: String(error) });
      },
    );
  }

  #open(): void {
    const generation = this.#generation;
    const current = () => generation === this.#generation;
    const { url, protocols } = this.#request();
    const Constructor = this.#options.WebSocket ?? (globalThis.WebSocket as unknown as WebSocketConstructor);
    this.#log("Connecting to");
    this.#comeBackAfter = undefined;
    this.#wait(this.#options.patience ?? 10_000, () => this.#broke({ kind: "network", message: "the handshake took too long" }));
    const socket = new Constructor(url, protocols);
    this.#socket = socket;
    socket.onopen = () => current() && this.#wait(SETTLED, () => this.#opened());
    socket.onmessage = (event: { data: unknown }) => current() && this.#received(event.data);
    socket.onclose = (event: { code: number; reason: string }) => current() && this.#closed(event.code, event.reason);
    socket.onerror = () => {};
  }

  #request(): { url: string; protocols: string[] } {
    const url = this.#protocol.address();
    const protocols = [...this.#protocol.subprotocols];
    if (this.#token && this.#options.tokenIn === "subprotocol") protocols.push("bearer", this.#token);
    else if (this.#token) url.searchParams.set("token", this.#token);
    return { url: url.href, protocols };
  }

  #opened(): void {
    if (this.#state.status !== "connecting") return;
    this.#timers.clearTimeout(this.#timer);
    this.#refusals = 0;
    this.#log("Connected to");
    this.#enter({ status: "open", attempt: 0 });
    this.#heartbeat.start();
    this.#protocol.opened();
  }

  #received(text: unknown): void {
    this.#heartbeat.heard();
    let frame: Record<string, unknown>;
    try {
      frame = JSON.parse(String(text));
    } catch {
      return this.#options.log?.("❌ [WebSocket] Not JSON:", text);
    }
    if (frame?.type === "reconnect") this.#comeBackAfter = Number(frame.after_ms) || 0;
    else this.#opened();
    if (this.#heartbeat.answered(frame)) return;
    if (frame?.type === "token_expiring") this.#renew(1);
    if (frame && typeof frame === "object") this.#protocol.received(frame);
  }

  /** Asks for another token, and again after a while if that fails: there is a minute until the connection would be closed. */
  #renew(attempt: number): void {
    const generation = this.#generation;
    const current = () => generation === this.#generation && this.#state.status === "open";
    if (typeof this.#source !== "function") return;
    ask(this.#source, { reason: "expiring", ...(this.#token && { token: this.#token }) }).then(
      (token) => current() && token && this.refresh(token),
      () => current() && this.#wait(delay(this.#options.backoff ?? {}, attempt, this.#timers), () => this.#renew(attempt + 1)),
    );
  }

  #closed(code: number, message: string): void {
    const [kind, remedy] = meaning(this.#protocol.address().pathname, code);
    const reason = { kind, code, message };
    this.#log("Disconnected from", code, message);
    if (remedy === "stop") return this.close(reason);
    if (remedy === "retry") return this.#broke(reason);
    if (typeof this.#source !== "function" || ++this.#refusals > REFUSALS) return this.close(reason);
    this.#broke(reason, "refused");
  }

  /** Comes back after what the server has asked for, or else after a while. */
  #broke(reason: Reason, why: TokenRequest["reason"] = "connect"): void {
    const attempt = this.#state.attempt + 1;
    const asked = this.#comeBackAfter;
    this.#drop();
    const backoff = attempt > 1 || asked === undefined ? delay(this.#options.backoff ?? {}, attempt, this.#timers) : 0;
    const after = backoff + (asked ?? 0);
    this.#wait(after, () => this.#attempt(attempt, why));
    this.#enter({ status: "waiting", attempt, reason, retryAt: this.#timers.now() + after });
  }

  /** The network is back, or somebody looks at the page again. */
  #wake(): void {
    const { status, attempt } = this.#state;
    if (status === "open") this.#heartbeat.probe();
    if (status !== "waiting" || this.#comeBackAfter !== undefined) return;
    this.#timers.clearTimeout(this.#timer);
    this.#attempt(attempt);
  }

  #drop(): void {
    this.#generation += 1;
    this.#timers.clearTimeout(this.#timer);
    this.#heartbeat.stop();
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket && socket.readyState < 2) socket.close(1000);
  }

  #wait(milliseconds: number, then: () => void): void {
    this.#timers.clearTimeout(this.#timer);
    this.#timer = this.#timers.setTimeout(then, milliseconds);
  }

  #enter(state: ConnectionState): void {
    this.#state = state;
    this.#protocol.changed(state);
  }

  /** The lines that document 3 shows. */
  #log(what: string, ...details: unknown[]): void {
    this.#options.log?.(`🔌 [WebSocket] ${what} ${shown(this.#protocol.address())}`, ...details);
  }
}

/** Calls `back` when the network comes back or the page is looked at again, where there is such a thing. */
function whenBack(back: () => void): () => void {
  if (typeof document === "undefined") return () => {};
  const seen = () => document.visibilityState === "visible" && back();
  addEventListener("online", back);
  document.addEventListener("visibilitychange", seen);
  return () => {
    removeEventListener("online", back);
    document.removeEventListener("visibilitychange", seen);
  };
}
