import type { KeyboardEvent } from "react";
import type { Ticket } from "../api/types.ts";
import { Avatar, Avatars } from "../people/avatar.tsx";
import { nameOf } from "../people/directory.ts";
import { useProject } from "../project/project.tsx";
import { hashOf } from "../routing/route.ts";
import { useMe } from "../session/use-session.ts";
import { CalendarIcon, CommentIcon } from "../ui/icons.tsx";
import { shortDay } from "../ui/when.ts";
import { DRAGGED } from "./column.tsx";
import { PriorityMark } from "./priority.tsx";

interface Props {
  readonly ticket: Ticket;
  readonly isOpen: boolean;
  /** Moves it by so many columns. */
  readonly onShift: (by: number) => void;
}

/** A ticket on the board. */
export function Card({ ticket, isOpen, onShift }: Props) {
  const { project, presence } = useProject();
  const me = useMe();
  const viewers = presence.viewers(ticket.ticket_id, me.id);
  const typists = presence.typists(ticket.ticket_id, me.id);

  function pressed(event: KeyboardEvent<HTMLAnchorElement>) {
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.shiftKey && sideways) onShift(sideways);
    else if (!focusNext(event.currentTarget, event.key)) return;
    event.preventDefault();
  }

  return (
    <a
      id={`card-${ticket.ticket_id}`}
      className="card"
      href={hashOf({ page: "board", project: String(project.id), ticket: String(ticket.ticket_id) })}
      draggable
      aria-current={isOpen ? "true" : undefined}
      aria-keyshortcuts="Shift+ArrowLeft Shift+ArrowRight"
      onKeyDown={pressed}
      onDragStart={(event) => {
        event.dataTransfer.setData(DRAGGED, String(ticket.ticket_id));
        event.dataTransfer.effectAllowed = "move";
      }}
    >
      <span className="card-top">
        <span className="ticket-key">{ticket.key}</span>
        <PriorityMark priority={ticket.priority} />
        <span className="card-viewers">
          {typists.length > 0 && (
            <span className="typing-dots" title={`${typists.map((person) => nameOf(person)).join(", ")} typing`} />
          )}
          <Avatars people={viewers} most={3} label="Looking at it" />
        </span>
      </span>
      <span className="card-title">{ticket.title}</span>
      <span className="card-foot">
        <span className="card-labels">
          {ticket.labels.slice(0, 3).map((label) => (
            <span key={label} className="label">
              {label}
            </span>
          ))}
        </span>
        <Facts ticket={ticket} />
      </span>
    </a>
  );
}

/** When it is due, what was said, and whose it is. */
function Facts({ ticket }: { ticket: Ticket }) {
  return (
    <span className="card-facts">
      {ticket.due_date && (
        <span className="card-fact">
          <CalendarIcon size={14} />
          <span className="visually-hidden">Due </span>
          {shortDay(ticket.due_date)}
        </span>
      )}
      {ticket.comments > 0 && (
        <span className="card-fact">
          <CommentIcon size={14} />
          {ticket.comments}
          <span className="visually-hidden"> {ticket.comments === 1 ? "comment" : "comments"}</span>
        </span>
      )}
      {ticket.assignee && <Avatar person={ticket.assignee} size="small" />}
    </span>
  );
}

/** Arrows go from card to card: up and down in a column, left and right to the same height of the next. */
function focusNext(card: HTMLElement, key: string): boolean {
  const columns = [...document.querySelectorAll(".column")].map((column) => [...column.querySelectorAll("a.card")]);
  const column = columns.findIndex((cards) => cards.includes(card));
  const row = columns[column]?.indexOf(card) ?? -1;
  const sideways = (by: number) => {
    for (let next = column + by; columns[next]; next += by) {
      const cards = columns[next] ?? [];
      if (cards.length > 0) return cards[Math.min(row, cards.length - 1)];
    }
    return undefined;
  };
  const targets: Record<string, () => Element | undefined> = {
    ArrowUp: () => columns[column]?.[row - 1],
    ArrowDown: () => columns[column]?.[row + 1],
    ArrowLeft: () => sideways(-1),
    ArrowRight: () => sideways(1),
  };
  const target = targets[key]?.();
  if (target instanceof HTMLElement) target.focus();
  return key in targets;
}
