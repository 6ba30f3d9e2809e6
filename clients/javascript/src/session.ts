import { type Backoff, delay } from "./backoff.js";
import type { SubscribeOptions, SubscriptionEvents } from "./client.js";
import type { CarillonError } from "./failure.js";
import type { Ending } from "./frames/index.js";
import type { Outcome, Request } from "./requests.js";
import type { Listening } from "./subscription.js";
import type { Timers } from "./timers.js";

/** What a session needs of its client. */
export interface Host {
  readonly backoff: Backoff;
  readonly timers: Timers;
  request(request: Request, then: Outcome): void;
  isOpen(): boolean;
  forget(session: ChannelSession): void;
}

/** One channel on the connection, for all who listen to it here: its place, and how it gets back there. */
export class ChannelSession {
  readonly channel: string;
  readonly #host: Host;
  readonly #query: SubscribeOptions["query"];
  readonly #listeners = new Set<Listening<unknown>>();
  #epoch: string | undefined;
  #offset = 0;
  #subscribed: { epoch: string; offset: number } | undefined;
  #attempt = 0;
  #timer: unknown;

  constructor(channel: string, { query, since }: SubscribeOptions, host: Host) {
    this.channel = channel;
    this.#host = host;
    this.#query = query;
    const [epoch, offset] = since?.split(".") ?? [];
    if (epoch && offset) [this.#epoch, this.#offset] = [epoch, Number(offset)];
  }

  /** Where the channel was when it was subscribed to, while it is. */
  get subscribed(): { readonly epoch: string; readonly offset: number } | undefined {
    return this.#subscribed;
  }

  get since(): string | undefined {
    return this.#epoch && `${this.#epoch}.${this.#offset}`;
  }

  join(listener: Listening<unknown>): void {
    this.#listeners.add(listener);
  }

  /** The last one to leave ends it, unless somebody comes in the same moment. */
  leave(listener: Listening<unknown>): void {
    if (!this.#listeners.delete(listener)) return;
    queueMicrotask(() => {
      if (this.#listeners.size > 0) return;
      this.#host.timers.clearTimeout(this.#timer);
      this.#host.forget(this);
    });
  }

  /** Subscribes, at first, on a new connection, or once more. */
  subscribe(): void {
    this.#host.timers.clearTimeout(this.#timer);
    const { since } = this;
    const request = { type: "subscribe", channel: this.channel, ...(since && { since }), ...(this.#query && { query: this.#query }) };
    this.#host.request(request, {
      answered: (answer) => this.#entered(answer as unknown as { epoch: string; offset: number }, since === undefined),
      refused: (error) => this.#refused(error),
    });
  }

  /** The connection broke. */
  interrupted(): void {
    this.#subscribed = undefined;
    this.#host.timers.clearTimeout(this.#timer);
  }

  event(data: unknown, offset: number | undefined): void {
    if (offset !== undefined && offset <= this.#offset) return;
    if (offset !== undefined) this.#offset = offset;
    this.#tell("event", { data, ...(offset !== undefined && { offset }) });
  }

  recovery(recovered: boolean, missed: number): void {
    if (recovered) return this.#tell("recovery", { missed });
    if (this.#subscribed) [this.#epoch, this.#offset] = [this.#subscribed.epoch, this.#subscribed.offset];
    this.#tell("gap", { channel: this.channel });
  }

  /** The channel's owner has ended it; subscribing again may help. */
  ended(ending: Ending): void {
    this.#subscribed = undefined;
    if (ending.retry) return this.#again();
    this.#host.forget(this);
    this.#tell("ended", ending);
  }

  #entered(answer: { epoch: string; offset: number }, fresh: boolean): void {
    this.#attempt = 0;
    this.#subscribed = { epoch: answer.epoch, offset: answer.offset };
    if (fresh) [this.#epoch, this.#offset] = [answer.epoch, answer.offset];
    this.#tell("subscribed", this.#subscribed);
  }

  #refused({ code, message, retry, retryAfter }: CarillonError): void {
    if (code === "closed" || code === "unsubscribed") return;
    if (retry) this.#again(retryAfter);
    else this.ended({ code, message, retry });
  }

  #again(seconds = 0): void {
    this.#attempt += 1;
    const after = seconds * 1000 + delay(this.#host.backoff, this.#attempt, this.#host.timers);
    this.#timer = this.#host.timers.setTimeout(() => this.#host.isOpen() && this.subscribe(), after);
  }

  #tell<Name extends keyof SubscriptionEvents<unknown>>(name: Name, value: SubscriptionEvents<unknown>[Name]): void {
    for (const listener of [...this.#listeners]) listener.tell(name, value);
  }
}
