import type { Subscription, SubscriptionEvents } from "../client.js";
import type { CarillonError } from "../failure.js";
import type { TokenRequest } from "../token.js";
import type { Hub } from "./hub.js";
import type { FromTab, Port, ToTab } from "./messages.js";

const events: (keyof SubscriptionEvents<unknown>)[] = ["event", "subscribed", "gap", "recovery", "ended"];

/** How long a tab may take over a token, in milliseconds: one that sleeps never answers. */
const PATIENCE = 10_000;

/** One of the tabs that share a connection, as the worker sees it. */
export class Tab {
  readonly #port: Port;
  readonly #hub: Hub;
  readonly #left: () => void;
  readonly #subscriptions = new Map<number, Subscription>();
  readonly #tokens = new Map<number, (message: FromTab & { do: "token" }) => void>();
  #number = 0;

  constructor(port: Port, hub: Hub, left: () => void) {
    this.#port = port;
    this.#hub = hub;
    this.#left = left;
    port.onmessage = ({ data }: MessageEvent<FromTab>) => this.#heard(data);
    hub.join(this);
  }

  /** Tells the tab what the client tells. */
  told(name: string, value: unknown): void {
    const { state, userId } = this.#hub.client;
    this.#tell({ tell: "client", name, value, state, userId });
  }

  /** Asks the tab for a token. */
  token(request: TokenRequest): Promise<string | undefined> {
    const id = ++this.#number;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#tokens.get(id)?.({ do: "token", id, failure: "the tab does not answer" }), PATIENCE);
      this.#tokens.set(id, ({ token, failure }) => {
        clearTimeout(timer);
        this.#tokens.delete(id);
        if (failure === undefined) resolve(token);
        else reject(new Error(failure));
      });
      this.#tell({ tell: "token", id, request });
    });
  }

  /** The tab has gone, or has no use for it any more. */
  leave(): void {
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe();
    this.#subscriptions.clear();
    this.#left();
    this.#hub.leave(this);
  }

  #heard(message: FromTab): void {
    const { client } = this.#hub;
    if (message.do === "connect") client.connect();
    else if (message.do === "subscribe") this.#subscribe(message);
    else if (message.do === "ask") void this.#ask(message);
    else if (message.do === "refresh") client.refresh(message.token);
    else if (message.do === "token") this.#tokens.get(message.id)?.(message);
    else if (message.do === "bye") this.leave();
    else if (message.do === "unsubscribe") {
      this.#subscriptions.get(message.key)?.unsubscribe();
      this.#subscriptions.delete(message.key);
    }
  }

  #subscribe({ key, channel, options }: FromTab & { do: "subscribe" }): void {
    const subscription: Subscription = this.#hub.client.subscribe(channel, options);
    this.#subscriptions.set(key, subscription);
    for (const name of events) {
      subscription.on(name, (value) => this.#tell({ tell: "subscription", key, name, value, since: subscription.since }));
    }
  }

  async #ask({ id, key, question, value }: FromTab & { do: "ask" }): Promise<void> {
    try {
      const answer = await this.#subscriptions.get(key)?.[question](value as never);
      this.#tell({ tell: "answer", id, value: answer });
    } catch (error) {
      const { code, message, retry, retryAfter } = error as CarillonError;
      this.#tell({ tell: "answer", id, failure: { code, message, retry, retryAfter } });
    }
  }

  #tell(message: ToTab): void {
    this.#port.postMessage(message);
  }
}
