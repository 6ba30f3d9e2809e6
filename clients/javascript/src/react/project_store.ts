import type { ConnectionOptions, Id, Unlisten } from "../index.js";
import { Store } from "./store.js";
import type { Tier } from "./tier.js";

/** Which project's channels are connected. */
export interface ProjectState {
  isTicketConnected: boolean;
  isPresenceConnected: boolean;
}

type Channel = "tickets" | "presence";

/** A project's tickets and presence, for as long as its provider is there. */
export class ProjectStore extends Store<ProjectState> {
  readonly #log: ConnectionOptions["log"];
  /** Which project is asked for, whether anybody is logged in or not. */
  readonly #wanted = new Map<Channel, Id>();
  readonly #held = new Map<Channel, Unlisten>();
  #tier: Tier | undefined;
  #selected: Id | null = null;

  constructor(log: ConnectionOptions["log"]) {
    super({ isTicketConnected: false, isPresenceConnected: false });
    this.#log = log;
  }

  /** Follows the project's tickets; one project at a time. */
  connectTickets = (project: Id): void => this.#want("tickets", project);

  /** Is present in the project, and sees who else is. */
  connectPresence = (project: Id): void => this.#want("presence", project);

  disconnectTickets = (): void => this.#letGo("tickets");

  disconnectPresence = (): void => this.#letGo("presence");

  /** As document 3's layout does when a project is selected. */
  select(project: Id | null): void {
    if (this.#selected === project) return;
    this.#selected = project;
    if (project === null) {
      this.disconnectTickets();
      return this.disconnectPresence();
    }
    this.#log?.(`🔌 [MainLayout] Connecting to WebSocket channels for project: ${project}`);
    this.connectTickets(project);
    this.connectPresence(project);
  }

  /** Goes on with the sockets of whoever is logged in now. */
  follow(tier: Tier | undefined): void {
    if (tier === this.#tier) return;
    this.#tier = tier;
    for (const [channel, project] of this.#wanted) this.#hold(channel, project);
  }

  protected override start(): void {}

  protected override stop(): void {
    this.#selected = null;
    this.#tier = undefined;
    this.disconnectTickets();
    this.disconnectPresence();
  }

  #want(channel: Channel, project: Id): void {
    if (this.#wanted.get(channel) === project) return;
    this.#wanted.set(channel, project);
    this.#hold(channel, project);
  }

  #hold(channel: Channel, project: Id): void {
    this.#held.get(channel)?.();
    this.#held.delete(channel);
    if (!this.#tier) return;
    const presence = channel === "presence" ? this.#tier.presence(project) : undefined;
    const socket = presence?.socket ?? this.#tier.socket(`ws/projects/${project}/tickets/`);
    const name = channel === "tickets" ? "isTicketConnected" : "isPresenceConnected";
    const release = (presence ?? socket).retain();
    const unlisten = socket.onState(({ status }) => {
      const open = status === "open";
      if (this.snapshot()[name] !== open) this.update({ [name]: open });
    });
    this.#held.set(channel, () => {
      unlisten();
      release();
      this.update({ [name]: false });
    });
  }

  #letGo(channel: Channel): void {
    this.#wanted.delete(channel);
    this.#held.get(channel)?.();
    this.#held.delete(channel);
  }
}
