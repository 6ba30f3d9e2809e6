import type { Client, ClientEvents, SubscribeOptions, Subscription } from "../client.js";
import { Emitter } from "../emitter.js";
import { CarillonError } from "../failure.js";
import type { EventOf, Id } from "../frames/index.js";
import { identity } from "../identity.js";
import type { ConnectionState } from "../state.js";
import { ask, type TokenRequest, type TokenSource } from "../token.js";
import type { FromTab, PlainOptions, Port, Question, ToTab } from "./messages.js";
import { SharedSubscription } from "./shared_subscription.js";

interface Waiting {
  readonly message: FromTab;
  resolve(value: never): void;
  reject(error: CarillonError): void;
}

/** A tab's end of a connection that tabs share. */
export class SharedClient extends Emitter<ClientEvents> implements Client {
  readonly #options: PlainOptions;
  readonly #name: string;
  readonly #source: TokenSource | undefined;
  readonly #subscriptions = new Map<number, SharedSubscription<unknown>>();
  readonly #waiting = new Map<number, Waiting>();
  #port: Port;
  #state: ConnectionState = { status: "idle", attempt: 0 };
  #userId: Id | null | undefined;
  /** What is said before it is known whose connection this is. */
  #early: FromTab[] | undefined = [];
  #number = 0;
  #wanted = false;

  constructor(port: Port, name: string, source: TokenSource | undefined, options: PlainOptions) {
    super();
    this.#port = port;
    this.#name = name;
    this.#source = source;
    this.#options = options;
    this.join(port);
    whenHidden(
      () => this.#post({ do: "bye" }),
      () => {
        this.#abandon(new CarillonError("uncertain", "the page was asleep when the answer came", true));
        this.join(this.#port);
      },
    );
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get userId(): Id | null | undefined {
    return this.#userId;
  }

  connect(): void {
    this.#wanted = true;
    if (this.#state.status === "closed") void this.#greet();
    this.#post({ do: "connect" });
  }

  /** Ends what this tab has of it; other tabs go on. */
  close(): void {
    this.#wanted = false;
    this.#post({ do: "bye" });
    this.#subscriptions.clear();
    this.#abandon(new CarillonError("closed", "closed by this tab"));
    this.#early = [];
    this.#enter({ status: "closed", attempt: 0, reason: { kind: "asked", message: "closed by this tab" } });
  }

  refresh(token: string): void {
    this.#post({ do: "refresh", token });
  }

  subscribe<Channel extends string>(channel: Channel, options: SubscribeOptions = {}): Subscription<EventOf<Channel>> {
    const key = ++this.#number;
    const subscription = new SharedSubscription<EventOf<Channel>>(channel, options, {
      ask: (question, value) => this.#ask(key, question, value),
      leave: () => {
        this.#subscriptions.delete(key);
        this.#post({ do: "unsubscribe", key });
      },
    });
    this.#subscriptions.set(key, subscription as SharedSubscription<unknown>);
    if (this.#state.status === "closed") void this.#greet();
    this.#post({ do: "subscribe", key, channel, options });
    return subscription;
  }

  /** Says all there is to say over another port: the worker could not be had, or this tab was asleep. */
  join(port: Port): void {
    this.#port = port;
    this.#early = [];
    if (this.#wanted) this.#early.push({ do: "connect" });
    for (const [key, { channel, options, since }] of this.#subscriptions) {
      this.#early.push({ do: "subscribe", key, channel, options: { ...options, ...(since && { since }) } });
    }
    for (const { message } of this.#waiting.values()) this.#early.push(message);
    port.onmessage = ({ data }: MessageEvent<ToTab>) => this.#heard(data);
    void this.#greet();
  }

  /** Only tabs of the same user share. */
  async #greet(): Promise<void> {
    const port = this.#port;
    let who: string | undefined;
    try {
      who = identity(await ask(this.#source, { reason: "connect" }));
    } catch (error) {
      this.#enter({ status: "closed", attempt: 0, reason: { kind: "token_callback", message: String(error) } });
      return;
    }
    const lock = await hold();
    if (port !== this.#port || !this.#early) return;
    const { url, path } = this.#options;
    const hub = JSON.stringify([this.#name, url, path, who]);
    const early = this.#early;
    this.#early = undefined;
    this.#post({ do: "hello", hub, options: this.#options, ...(lock && { lock }) });
    for (const message of early) this.#post(message);
  }

  #ask(key: number, question: Question, value: unknown): Promise<never> {
    const id = ++this.#number;
    return new Promise((resolve, reject) => {
      const message: FromTab = { do: "ask", id, key, question, value };
      this.#waiting.set(id, { message, resolve, reject });
      this.#post(message);
    });
  }

  #abandon(error: CarillonError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #post(message: FromTab): void {
    if (this.#early) this.#early.push(message);
    else this.#port.postMessage(message);
  }

  #heard(message: ToTab): void {
    if (message.tell === "token") void this.#token(message.id, message.request);
    else if (message.tell === "subscription") this.#subscriptions.get(message.key)?.told(message);
    else if (message.tell === "answer") this.#answered(message);
    else {
      this.#userId = message.userId;
      if (message.name === "state") this.#enter(message.state);
      else this.emit(message.name as keyof ClientEvents, message.value as never);
    }
  }

  #answered({ id, value, failure }: ToTab & { tell: "answer" }): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (!failure) waiting?.resolve(value as never);
    else waiting?.reject(new CarillonError(failure.code, failure.message, failure.retry, failure.retryAfter));
  }

  async #token(id: number, request: TokenRequest): Promise<void> {
    try {
      const token = await ask(this.#source, request);
      this.#post({ do: "token", id, ...(token && { token }) });
    } catch (error) {
      this.#post({ do: "token", id, failure: String(error) });
    }
  }

  #enter(state: ConnectionState): void {
    this.#state = state;
    this.emit("state", state);
  }
}

/** A lock that this tab holds while it lives, where the browser has such a thing. */
function hold(): Promise<string | undefined> {
  if (typeof navigator === "undefined" || !navigator.locks) return Promise.resolve(undefined);
  const name = `carillon ${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    navigator.locks.request(name, () => new Promise(() => resolve(name))).catch(() => resolve(undefined));
  });
}

/** A page that is left may be kept, asleep, and come back. */
function whenHidden(left: () => void, back: () => void): void {
  if (typeof window === "undefined") return;
  addEventListener("pagehide", left);
  addEventListener("pageshow", (event) => event.persisted && back());
}
