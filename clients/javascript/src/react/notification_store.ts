import { httpAddress } from "../address.js";
import type { Id, Notification, NotificationFrame } from "../index.js";
import { ask } from "../token.js";
import type { AnyFrame, SocketStore } from "./socket_store.js";
import { type Connected, connected, Store, unconnected } from "./store.js";
import type { Tier } from "./tier.js";
import { showToast } from "./toast.js";

export interface NotificationState extends Connected {
  /** The newest first, up to 200. */
  notifications: Notification[];
  unreadCount: number;
}

/** As many as are kept in memory. */
const KEPT = 200;

/** The user's notifications, as the inbox has them and as they come. */
export class NotificationStore extends Store<NotificationState> {
  readonly #tier: Tier;
  readonly #socket: SocketStore;
  #version = 0;
  #loaded = false;
  #release: (() => void)[] = [];

  constructor(tier: Tier) {
    super({ notifications: [], unreadCount: 0, ...unconnected });
    this.#tier = tier;
    this.#socket = tier.socket("ws/notifications/", { query: { dialect: tier.options.dialect ?? "ticketing" } });
  }

  markAsRead = (id: Id): void => {
    const { notifications, unreadCount } = this.snapshot();
    const found = notifications.find((notification) => notification.id === id);
    if (found?.is_read) return;
    if (found) {
      this.update({
        notifications: notifications.map((one) => (one === found ? { ...one, is_read: true } : one)),
        unreadCount: Math.max(0, unreadCount - 1),
      });
    }
    this.#socket.send({ type: "mark_read", id: found ? own(found) : id });
  };

  markAllAsRead = (): void => {
    const notifications = this.snapshot().notifications.map((one) => ({ ...one, is_read: true }));
    this.update({ notifications, unreadCount: 0 });
    this.#socket.send({ type: "mark_all_read" });
  };

  protected override start(): void {
    this.#loaded = false;
    this.#release = [
      this.#socket.retain(),
      this.#socket.onFrame((frame) => this.#received(frame)),
      this.#socket.onGap(() => void this.#load()),
      this.#socket.onState((connection) => this.update(connected(connection))),
    ];
  }

  protected override stop(): void {
    for (const release of this.#release) release();
  }

  #received(raw: AnyFrame): void {
    const frame = raw as NotificationFrame;
    // From here on everything comes as a frame, and what was before that is in the inbox; later there is recovery.
    if (frame.type.startsWith("connection") && !this.#loaded) void this.#load();
    if (frame.type === "unread_count" && frame.version >= this.#version) {
      this.#version = frame.version;
      this.update({ unreadCount: frame.count });
    }
    const notification =
      frame.type === "notification" ? frame.notification : frame.type === "notification_message" ? frame.data : undefined;
    if (notification) this.#add(notification);
  }

  #add(notification: Notification): void {
    const { notifications, unreadCount } = this.snapshot();
    if (notifications.some((one) => same(one, notification))) return;
    this.update({
      notifications: [notification, ...notifications].slice(0, KEPT),
      unreadCount: unreadCount + (notification.is_read ? 0 : 1),
    });
    const { title, message, priority = "normal" } = notification;
    const show = this.#tier.options.toast ?? showToast;
    if (show && !notification.is_read) show({ title, message, priority, notification });
  }

  /** What is in the inbox already. Where there is none, there is what comes. */
  async #load(): Promise<void> {
    this.#loaded = true;
    const { token: source, url } = this.#tier.options;
    try {
      const token = await ask(source, { reason: "connect" });
      if (!token) return;
      const response = await fetch(httpAddress("api/notifications/?limit=50", url), { headers: { authorization: `Bearer ${token}` } });
      if (response.ok) this.#merge((await response.json()) as Inbox);
    } catch {
      // The socket says what is wrong, if anything is.
    }
  }

  #merge({ items, counts, version }: Inbox): void {
    const inbox = this.#socket.query.dialect === "ticketing" ? items.map(ticketing) : items;
    const further = this.snapshot().notifications.filter((one) => !inbox.some((item) => same(item, one)));
    const newest = Math.max(0, ...inbox.map((item) => Number(own(item))));
    const unheard = further.filter((one) => !one.is_read && Number(own(one)) > newest).length;
    this.#version = Math.max(this.#version, version);
    this.update({ notifications: [...further, ...inbox].slice(0, KEPT), unreadCount: counts.unread + unheard });
  }
}

interface Inbox {
  items: Notification[];
  counts: { unread: number };
  version: number;
}

/** As document 3's frames have them: the sender's own id first. */
function ticketing(item: Notification): Notification {
  return { ...item, id: item.external_id ?? item.id, notification_id: item.id as number };
}

/** Carillon's own id, which in the ticketing dialect is another than the sender's. */
function own({ notification_id, id }: Notification): Id {
  return notification_id ?? id;
}

function same(one: Notification, other: Notification): boolean {
  return own(one) === own(other);
}
