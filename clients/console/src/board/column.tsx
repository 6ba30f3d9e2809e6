import { type DragEvent, useState } from "react";
import type { Status, Ticket } from "../api/types.ts";
import { PlusIcon } from "../ui/icons.tsx";
import { Card } from "./card.tsx";

/** What a dragged ticket is, so that nothing else can be dropped here. */
export const DRAGGED = "application/x-carillon-ticket";

interface Props {
  readonly status: Status;
  readonly tickets: readonly Ticket[];
  readonly opened: number | undefined;
  /** Not everything is shown. */
  readonly filtered: boolean;
  readonly onAdd: () => void;
  readonly onDrop: (ticket: number) => void;
  readonly onShift: (ticket: Ticket, by: number) => void;
}

export function Column({ status, tickets, opened, filtered, onAdd, onDrop, onShift }: Props) {
  const [over, setOver] = useState(false);
  const heading = `column-${status.id}`;
  function dragged(event: DragEvent) {
    if (!event.dataTransfer.types.includes(DRAGGED)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
    setOver(true);
  }
  return (
    <section
      className={over ? "column is-over" : "column"}
      aria-labelledby={heading}
      onDragOver={dragged}
      onDragLeave={(event) => event.currentTarget.contains(event.relatedTarget as Node) || setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        onDrop(Number(event.dataTransfer.getData(DRAGGED)));
      }}
    >
      <header className="column-head">
        <span className="status-dot" style={{ backgroundColor: status.color }} aria-hidden="true" />
        <h2 id={heading}>{status.name}</h2>
        <span className="count">
          {tickets.length}
          <span className="visually-hidden"> {tickets.length === 1 ? "ticket" : "tickets"}</span>
        </span>
        <button type="button" className="icon-button" aria-label={`New ticket in ${status.name}`} onClick={onAdd}>
          <PlusIcon size={16} />
        </button>
      </header>
      <ul className="cards">
        {tickets.map((ticket) => (
          <li key={ticket.ticket_id}>
            <Card ticket={ticket} isOpen={ticket.ticket_id === opened} onShift={(by) => onShift(ticket, by)} />
          </li>
        ))}
        {tickets.length === 0 && <li className="column-empty">{filtered ? "Nothing found here" : "No tickets"}</li>}
      </ul>
    </section>
  );
}

/** Where a column will be. */
export function ColumnSkeleton() {
  return (
    <div className="column" aria-hidden="true">
      <div className="column-head" />
      <ul className="cards">
        <li className="card card-skeleton" />
        <li className="card card-skeleton" />
      </ul>
    </div>
  );
}
