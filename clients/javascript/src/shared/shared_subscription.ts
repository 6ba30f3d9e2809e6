import type { SubscribeOptions, Subscription, SubscriptionEvents } from "../client.js";
import { Emitter } from "../emitter.js";
import { CarillonError } from "../failure.js";
import type { HistoryPage, PresencePage } from "../frames/index.js";
import type { Question, ToTab } from "./messages.js";

/** What a subscription of a tab needs of it. */
export interface Asking {
  ask(question: Question, value: unknown): Promise<never>;
  leave(): void;
}

/** A tab's end of a subscription. */
export class SharedSubscription<Frame> extends Emitter<SubscriptionEvents<Frame>> implements Subscription<Frame> {
  readonly channel: string;
  readonly options: SubscribeOptions;
  readonly #tab: Asking;
  #status: "pending" | "subscribed" | "ended" = "pending";
  #since: string | undefined;

  constructor(channel: string, options: SubscribeOptions, tab: Asking) {
    super();
    this.channel = channel;
    this.options = options;
    this.#tab = tab;
  }

  get status(): "pending" | "subscribed" | "ended" {
    return this.#status;
  }

  get since(): string | undefined {
    return this.#since;
  }

  publish(data: Record<string, unknown>): Promise<Record<string, unknown>[]> {
    return this.#ask("publish", data);
  }

  history(page: { after?: number; limit?: number } = {}): Promise<HistoryPage<Frame>> {
    return this.#ask("history", page);
  }

  presence(page: { after?: string | null; limit?: number } = {}): Promise<PresencePage> {
    return this.#ask("presence", page);
  }

  unsubscribe(): void {
    if (this.#status === "ended") return;
    this.#status = "ended";
    this.#tab.leave();
  }

  /** Tells what the worker has told. */
  told({ name, value, since }: ToTab & { tell: "subscription" }): void {
    if (this.#status === "ended") return;
    this.#since = since;
    if (name === "subscribed" || name === "ended") this.#status = name;
    this.emit(name as keyof SubscriptionEvents<Frame>, value as never);
  }

  async #ask(question: Question, value: unknown): Promise<never> {
    if (this.#status === "ended") throw new CarillonError("unsubscribed", `${this.channel} is not subscribed to`);
    return this.#tab.ask(question, value);
  }
}
