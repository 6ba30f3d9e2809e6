import type { Frame, Named, Status, Ticket } from "../api/types.ts";

/** What is known of a project's tickets. */
export interface Tickets {
  readonly byId: ReadonlyMap<number, Ticket>;
  readonly statuses: readonly Status[];
}

export const NONE: Tickets = { byId: new Map(), statuses: [] };

/** With tickets as the HTTP API or an answer has them; of two versions the newer one counts. */
export function withTickets(known: Tickets, tickets: readonly Ticket[]): Tickets {
  const byId = new Map(known.byId);
  for (const ticket of tickets) {
    const last = byId.get(ticket.ticket_id);
    if (!last || last.version <= ticket.version) byId.set(ticket.ticket_id, ticket);
  }
  return { ...known, byId };
}

export function without(known: Tickets, id: number): Tickets {
  const byId = new Map(known.byId);
  byId.delete(id);
  return { ...known, byId };
}

/** With what a frame of the project's tickets tells; frames come in order. */
export function applied(known: Tickets, frame: Frame): Tickets {
  const { action } = frame;
  switch (frame.type) {
    case "ticket_update": {
      const ticket = frame.data as Ticket;
      return action === "deleted" ? without(known, ticket.ticket_id) : withTickets(known, [ticket]);
    }
    case "comment_added":
    case "comment_deleted": {
      const { ticket_id, comments } = frame.data as { ticket_id: number; comments: number };
      const ticket = known.byId.get(ticket_id);
      return ticket ? withTickets(known, [{ ...ticket, comments }]) : known;
    }
    case "status_update":
      return { ...known, statuses: withStatus(known.statuses, String(action), frame.data as Status) };
    default:
      return known;
  }
}

function withStatus(statuses: readonly Status[], action: string, status: Status): readonly Status[] {
  const others = statuses.filter(({ id }) => id !== status.id);
  const next = action === "deleted" ? others : [...others, status];
  return next.sort((one, other) => one.position - other.position);
}

/** Everyone whom a ticket names. */
export function peopleOf(ticket: Ticket): (Named | null)[] {
  return [ticket.assignee, ticket.reporter];
}
