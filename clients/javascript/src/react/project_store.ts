import type { ConnectionOptions, Id, Unlisten } from "../index.js";
import { Store } from "./store.js";
import type { Tier } from "./tier.js";

/** Which project's channels are connected. */
export interface ProjectState {
  isTicketConnected: boolean;
  isPresenceConnected: boolean;
}

/** A project's tickets and presence, for as long as its provider is there. */
export class ProjectStore extends Store<ProjectState> {
  readonly #tier: Tier | undefined;
  readonly #log: ConnectionOptions["log"];
  #selected: Id | null = null;
  readonly #held = new Map<"tickets" | "presence", { project: Id; release: Unlisten }>();

  constructor(tier: Tier | undefined, log: ConnectionOptions["log"]) {
    super({ isTicketConnected: false, isPresenceConnected: false });
    this.#tier = tier;
    this.#log = log;
  }

  /** Follows the project's tickets; one project at a time. */
  connectTickets = (project: Id): void => this.#hold("tickets", project);

  /** Is present in the project, and sees who else is. */
  connectPresence = (project: Id): void => this.#hold("presence", project);

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

  protected override start(): void {}

  protected override stop(): void {
    this.#selected = null;
    this.disconnectTickets();
    this.disconnectPresence();
  }

  #hold(what: "tickets" | "presence", project: Id): void {
    if (!this.#tier || this.#held.get(what)?.project === project) return;
    this.#letGo(what);
    const presence = what === "presence" ? this.#tier.presence(project) : undefined;
    const socket = presence?.socket ?? this.#tier.socket(`ws/projects/${project}/tickets/`);
    const name = what === "tickets" ? "isTicketConnected" : "isPresenceConnected";
    const held = (presence ?? socket).retain();
    const listening = socket.onOpen((open) => this.update({ [name]: open }));
    this.#held.set(what, {
      project,
      release: () => {
        listening();
        held();
        this.update({ [name]: false });
      },
    });
  }

  #letGo(what: "tickets" | "presence"): void {
    this.#held.get(what)?.release();
    this.#held.delete(what);
  }
}
