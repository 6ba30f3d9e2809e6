import { useCallback, useEffect, useRef, useState } from "react";
import { Problem, request, said } from "../api/request.ts";
import type { Frame, Id, Status, Ticket, TicketChange } from "../api/types.ts";
import { useEndpoint } from "../live/use-endpoint.ts";
import { meet } from "../people/directory.ts";
import { applied, NONE, peopleOf, type Tickets, without, withTickets } from "./tickets.ts";

interface Page {
  readonly tickets: readonly Ticket[];
  readonly next: string | null;
}

export interface Board extends Tickets {
  readonly loading: boolean;
  readonly failure: string | undefined;
  /** Frames of comments, for whoever shows them. */
  listen(listener: (frame: Frame) => void): () => void;
  reload(): void;
  create(ticket: TicketChange): Promise<Ticket>;
  /** @throws Problem 409 with the current `ticket` if somebody changed it since `version`. */
  change(id: number, change: TicketChange, version?: number): Promise<Ticket>;
  remove(id: number): Promise<void>;
}

const PAGE = 200;

/** A project's tickets, as they are now: loaded, and then kept so by its socket. */
export function useTickets(project: Id): Board {
  const [tickets, setTickets] = useState<Tickets>(NONE);
  const [loading, setLoading] = useState(true);
  const [failure, setFailure] = useState<string>();
  const listeners = useRef(new Set<(frame: Frame) => void>());
  /** What comes while the tickets are being loaded is applied to them afterwards. */
  const early = useRef<Frame[] | undefined>([]);
  const base = `/api/projects/${encodeURIComponent(project)}`;

  const load = useCallback(async () => {
    early.current ??= [];
    setFailure(undefined);
    try {
      const loaded = await everything(base);
      meet(...[...loaded.byId.values()].flatMap(peopleOf));
      const waiting = early.current ?? [];
      early.current = undefined;
      setTickets(waiting.reduce(applied, loaded));
      setLoading(false);
    } catch (error) {
      setFailure(said(error));
      setLoading(false);
    }
  }, [base]);

  function onFrame(frame: Frame) {
    if (frame.type === "ticket_update" && frame.action !== "deleted") meet(...peopleOf(frame.data as Ticket));
    if (early.current) early.current.push(frame);
    setTickets((known) => applied(known, frame));
    for (const listener of listeners.current) listener(frame);
  }
  useEndpoint(`ws/projects/${encodeURIComponent(project)}/tickets/`, {
    logged: true,
    onFrame,
    onGap: () => void load(),
  });
  useEffect(() => void load(), [load]);

  const answered = useCallback((ticket: Ticket) => {
    setTickets((known) => withTickets(known, [ticket]));
    return ticket;
  }, []);

  return {
    ...tickets,
    loading,
    failure,
    reload: () => void load(),
    listen: useCallback((listener) => {
      listeners.current.add(listener);
      return () => void listeners.current.delete(listener);
    }, []),
    create: async (body) => answered(await request<Ticket>("POST", `${base}/tickets/`, { body })),
    change: async (id, change, version) => {
      const before = tickets.byId.get(id);
      setTickets((known) => foreseen(known, id, change));
      try {
        const body = version === undefined ? change : { ...change, version };
        return answered(await request<Ticket>("PATCH", `${base}/tickets/${id}/`, { body }));
      } catch (error) {
        const current = error instanceof Problem ? (error.body.ticket as Ticket | undefined) : undefined;
        const truth = current ?? before;
        if (truth) setTickets((known) => withTickets(without(known, id), [truth]));
        throw error;
      }
    },
    remove: async (id) => {
      await request("DELETE", `${base}/tickets/${id}/`);
      setTickets((known) => without(known, id));
    },
  };
}

async function everything(base: string): Promise<Tickets> {
  const { statuses } = await request<{ statuses: Status[] }>("GET", `${base}/statuses/`);
  let tickets: Tickets = { ...NONE, statuses };
  let cursor = "";
  do {
    const page = await request<Page>("GET", `${base}/tickets/?limit=${PAGE}${cursor}`);
    tickets = withTickets(tickets, page.tickets);
    cursor = page.next === null ? "" : `&cursor=${encodeURIComponent(page.next)}`;
  } while (cursor !== "");
  return tickets;
}

/** A ticket that moves does so at once; the server's answer, or its refusal, follows. */
function foreseen(known: Tickets, id: number, change: TicketChange): Tickets {
  const ticket = known.byId.get(id);
  const status = known.statuses.find((status) => status.id === change.status);
  return ticket && status ? withTickets(known, [{ ...ticket, status }]) : known;
}
