import type { ChannelEvent, Subscription, SubscriptionEvents } from "./client.js";
import { Emitter } from "./emitter.js";
import type { Ending, HistoryPage, PresencePage } from "./frames/index.js";
import type { Request } from "./requests.js";
import type { ChannelSession } from "./session.js";

/** One of those who listen to a channel. */
export class Listening<Frame> extends Emitter<SubscriptionEvents<Frame>> implements Subscription<Frame> {
  readonly channel: string;
  readonly #session: ChannelSession;
  readonly #ask: (request: Request) => Promise<Record<string, unknown>>;
  #over = false;

  constructor(session: ChannelSession, ask: (request: Request) => Promise<Record<string, unknown>>) {
    super();
    this.channel = session.channel;
    this.#session = session;
    this.#ask = ask;
    session.join(this as Listening<unknown>);
    if (session.subscribed) {
      queueMicrotask(() => session.subscribed && !this.#over && this.emit("subscribed", session.subscribed));
    }
  }

  get status(): "pending" | "subscribed" | "ended" {
    if (this.#over) return "ended";
    return this.#session.subscribed ? "subscribed" : "pending";
  }

  get since(): string | undefined {
    return this.#session.since;
  }

  async publish(data: Record<string, unknown>): Promise<Record<string, unknown>[]> {
    const answer = await this.#ask({ type: "publish", channel: this.channel, data });
    return answer.data as Record<string, unknown>[];
  }

  async history(page: { after?: number; limit?: number } = {}): Promise<HistoryPage<Frame>> {
    const answer = await this.#ask({ type: "history", channel: this.channel, ...page });
    return answer as unknown as HistoryPage<Frame>;
  }

  async presence(page: { after?: string | null; limit?: number } = {}): Promise<PresencePage> {
    const answer = await this.#ask({ type: "presence", channel: this.channel, ...page });
    return answer as unknown as PresencePage;
  }

  unsubscribe(): void {
    this.#over = true;
    this.#session.leave(this as Listening<unknown>);
  }

  /** Tells what the channel's session tells all who listen. */
  tell<Name extends keyof SubscriptionEvents<Frame>>(name: Name, value: SubscriptionEvents<Frame>[Name]): void {
    if (this.#over) return;
    if (name === "ended") this.#over = true;
    this.emit(name, value);
  }
}

export type { ChannelEvent, Ending };
