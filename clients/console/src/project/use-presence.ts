import { useMemo, useRef, useState } from "react";
import type { Frame, Id, Named } from "../api/types.ts";
import { useEndpoint } from "../live/use-endpoint.ts";
import { meet, same } from "../people/directory.ts";

interface Present extends Named {
  readonly viewing: readonly number[];
  readonly typing: readonly number[];
}

export interface Presence {
  readonly present: readonly Named[];
  /** Who looks at a ticket, and who writes at it; without `except`, who knows that anyway. */
  viewers(ticket: number, except?: Id): readonly Named[];
  typists(ticket: number, except?: Id): readonly Named[];
  /** Tells the others which ticket is open here. */
  view(ticket: number | undefined): void;
  type(ticket: number, isTyping: boolean): void;
}

/** Who is in a project, where, and what they do. */
export function usePresence(project: Id): Presence {
  const [present, setPresent] = useState<readonly Present[]>([]);
  const viewed = useRef<number>(undefined);
  const { send } = useEndpoint(`ws/projects/${encodeURIComponent(project)}/presence/`, {
    logged: true,
    onFrame(frame) {
      const others = Array.isArray(frame.present) ? frame.present : [];
      meet(...[frame, ...others].map(entryOf));
      setPresent((known) => applied(known, frame));
    },
    // A new connection looks at nothing yet.
    onOpen: () => viewed.current !== undefined && send({ type: "viewing", ticket_id: viewed.current }),
  });
  return useMemo(() => {
    const others = (ticket: number, what: "viewing" | "typing", except?: Id) =>
      present.filter((person) => person[what].includes(ticket) && !same(person.id, except));
    return {
      present,
      viewers: (ticket, except) => others(ticket, "viewing", except),
      typists: (ticket, except) => others(ticket, "typing", except),
      view(ticket) {
        if (viewed.current === ticket) return;
        viewed.current = ticket;
        send({ type: "viewing", ticket_id: ticket ?? null });
      },
      type: (ticket, isTyping) => send({ type: "typing", ticket_id: ticket, is_typing: isTyping }),
    };
  }, [present, send]);
}

function applied(known: readonly Present[], frame: Frame): readonly Present[] {
  const person = entryOf(frame);
  const others = known.filter(({ id }) => !same(id, person.id));
  const last = known.find(({ id }) => same(id, person.id)) ?? person;
  switch (frame.type) {
    case "user_status":
      if (Array.isArray(frame.present)) return frame.present.map(entryOf);
      if (frame.action === "left") return others;
      return known.includes(last) ? known : [...known, person];
    case "ticket_viewing":
      return replaced(known, { ...last, viewing: toggled(last.viewing, frame, frame.action === "started") });
    case "user_typing":
      return replaced(known, { ...last, typing: toggled(last.typing, frame, frame.is_typing === true) });
    default:
      return known;
  }
}

/** The same people in the same order: nobody jumps about because they type. */
function replaced(known: readonly Present[], person: Present): readonly Present[] {
  return known.map((each) => (same(each.id, person.id) ? person : each));
}

function toggled(tickets: readonly number[], frame: Frame, on: boolean): readonly number[] {
  const others = tickets.filter((ticket) => ticket !== frame.ticket_id);
  return on ? [...others, Number(frame.ticket_id)] : others;
}

function entryOf(entry: Record<string, unknown>): Present {
  const { user_id, username, first_name, last_name, viewing, typing } = entry;
  return {
    id: user_id as Id,
    username: String(username ?? ""),
    first_name: String(first_name ?? ""),
    last_name: String(last_name ?? ""),
    viewing: (viewing as number[] | undefined) ?? [],
    typing: (typing as number[] | undefined) ?? [],
  };
}
