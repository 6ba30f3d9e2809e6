import type { ConnectionOptions, EndpointOptions, Id } from "../index.js";
import { ChatStore } from "./chat_store.js";
import { NotificationStore } from "./notification_store.js";
import { PresenceStore } from "./presence_store.js";
import { SocketStore } from "./socket_store.js";
import type { ShowToast } from "./toast.js";

/** Which frames `/ws/notifications/` speaks in. */
export type Dialect = "events" | "rooms" | "ticketing";

/** What all hooks below a provider have in common. */
export interface TierOptions extends ConnectionOptions {
  /** Default: `ticketing`, whose frames document 3 shows. */
  dialect?: Dialect;
  /** What shows a toast; false: nothing does. */
  toast?: ShowToast | false;
}

/** The sockets and stores that components below a provider share. */
export class Tier {
  readonly options: TierOptions;
  readonly #stores = new Map<string, object>();

  constructor(options: TierOptions) {
    this.options = options;
  }

  /** The socket to a path; `options` that differ make it another one. */
  socket(path: string, options: EndpointOptions = {}): SocketStore {
    const { query, token, since } = options;
    const key = JSON.stringify(["socket", path.replace(/^\//, ""), query, token, since]);
    return this.#store(key, () => new SocketStore(path, { ...this.options, ...options }));
  }

  notifications(): NotificationStore {
    return this.#store("notifications", () => new NotificationStore(this));
  }

  presence(project: Id): PresenceStore {
    return this.#store(`presence ${project}`, () => new PresenceStore(this, project));
  }

  chat(target: Id): ChatStore {
    return this.#store(`chat ${target}`, () => new ChatStore(this, target));
  }

  #store<Kind extends object>(key: string, make: () => Kind): Kind {
    const there = this.#stores.get(key) ?? make();
    this.#stores.set(key, there);
    return there as Kind;
  }
}
