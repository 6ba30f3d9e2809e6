import type { Id, PresenceFrame, Visitor } from "../index.js";
import type { AnyFrame, SocketStore } from "./socket_store.js";
import { type Connected, connected, Store, unconnected } from "./store.js";
import type { Tier } from "./tier.js";

export interface PresenceState extends Connected {
  /** Who is in the project, those who came first first. */
  present: Visitor[];
  count: number;
}

/** Who is in a project, which tickets they look at, and where they type. */
export class PresenceStore extends Store<PresenceState> {
  readonly socket: SocketStore;
  #viewing: Id | null = null;
  #release: (() => void)[] = [];

  constructor(tier: Tier, project: Id) {
    super({ present: [], count: 0, ...unconnected });
    this.socket = tier.socket(`ws/projects/${project}/presence/`);
  }

  /** Tells the others which ticket this tab looks at; null: none. */
  view = (ticket: Id | null): void => {
    this.#viewing = ticket;
    // One that is offline is asked again when it is greeted.
    if (this.socket.isOpen) this.socket.send({ type: "viewing", ticket_id: ticket });
  };

  /** Tells the others that somebody types here; to be repeated while they do, at least every five seconds. */
  setTyping = (ticket: Id, isTyping: boolean): void => {
    if (this.socket.isOpen) this.socket.send({ type: "typing", ticket_id: ticket, is_typing: isTyping });
  };

  protected override start(): void {
    this.#release = [
      this.socket.retain(),
      this.socket.onFrame((frame) => this.#received(frame)),
      this.socket.onState((connection) => this.update(connected(connection))),
    ];
  }

  protected override stop(): void {
    for (const release of this.#release) release();
    this.#viewing = null;
    this.update({ present: [], count: 0, ...unconnected });
  }

  #received(raw: AnyFrame): void {
    const frame = raw as PresenceFrame;
    if (frame.type === "user_status") {
      if (frame.present) {
        this.update({ present: frame.present, count: frame.count });
        if (this.#viewing !== null) this.view(this.#viewing);
      } else if (frame.action === "left") {
        this.update({ present: this.snapshot().present.filter(({ user_id }) => user_id !== frame.user_id), count: frame.count });
      } else this.#joined(frame);
    } else if (frame.type === "ticket_viewing") this.#changed(frame.user_id, "viewing", frame.ticket_id, frame.action === "started");
    else if (frame.type === "user_typing") this.#changed(frame.user_id, "typing", frame.ticket_id, frame.is_typing);
  }

  #joined({ user_id, username, first_name = "", last_name = "", count }: Extract<PresenceFrame, { type: "user_status" }>): void {
    const others = this.snapshot().present.filter((visitor) => visitor.user_id !== user_id);
    const visitor: Visitor = { user_id, username, first_name, last_name, since: new Date().toISOString(), viewing: [], typing: [] };
    this.update({ present: [...others, visitor], count });
  }

  #changed(user: Id, what: "viewing" | "typing", ticket: Id, on: boolean): void {
    const present = this.snapshot().present.map((visitor) => {
      if (visitor.user_id !== user) return visitor;
      const others = visitor[what].filter((id) => id !== ticket);
      return { ...visitor, [what]: on ? [...others, ticket] : others };
    });
    this.update({ present });
  }
}
