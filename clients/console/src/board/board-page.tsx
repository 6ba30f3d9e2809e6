import { useEffect, useEffectEvent, useLayoutEffect, useMemo, useRef, useState } from "react";
import { said } from "../api/request.ts";
import type { Status, Ticket } from "../api/types.ts";
import { toast } from "../notifications/toasts.tsx";
import { same } from "../people/directory.ts";
import { useProject } from "../project/project.tsx";
import { go } from "../routing/route.ts";
import { useMe } from "../session/use-session.ts";
import { announce } from "../shell/announcer.tsx";
import { KeyboardIcon, PlusIcon, SearchIcon } from "../ui/icons.tsx";
import { Failed } from "../ui/states.tsx";
import { Column, ColumnSkeleton } from "./column.tsx";
import { KeyboardHelp } from "./keyboard-help.tsx";
import { NewTicket } from "./new-ticket.tsx";
import { TicketPanel } from "./ticket-panel.tsx";

/** A project's tickets in columns, one for each status. */
export function BoardPage({ ticket: opened }: { ticket: string | undefined }) {
  const { project, board } = useProject();
  const me = useMe();
  const [search, setSearch] = useState("");
  const [mine, setMine] = useState(false);
  const [creating, setCreating] = useState<Status | true>();
  const [helping, setHelping] = useState(false);
  const shown = useMemo(() => {
    const tickets = [...board.byId.values()].filter((ticket) => matches(ticket, search));
    const own = mine ? tickets.filter(({ assignee }) => same(assignee?.id, me.id)) : tickets;
    return own.sort((one, other) => other.ticket_id - one.ticket_id);
  }, [board.byId, search, mine, me.id]);
  const columnOf = (status: Status) => shown.filter((ticket) => ticket.status.id === status.id);

  useShortcuts({
    n: () => setCreating(true),
    "/": () => document.getElementById("board-search")?.focus(),
    "?": () => setHelping(true),
  });

  /** Another column has another card, which has the focus where the first one had it. */
  const moved = useRef<number>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a ticket that has moved is one that has changed
  useLayoutEffect(() => {
    document.getElementById(`card-${moved.current}`)?.focus();
    moved.current = undefined;
  }, [board.byId]);

  async function move(ticket: Ticket, status: Status) {
    if (ticket.status.id === status.id) return;
    announce(`${ticket.key} moved to ${status.name}`);
    try {
      await board.change(ticket.ticket_id, { status: status.id });
    } catch (error) {
      toast({ title: `${ticket.key} was not moved`, message: said(error), tone: "failure" });
    }
  }

  const ticket = opened === undefined ? undefined : board.byId.get(Number(opened));
  const close = () => {
    go({ page: "board", project: String(project.id) });
    // The card has the focus again, as it had when it was opened.
    document.getElementById(`card-${opened}`)?.focus();
  };
  return (
    <div className={opened === undefined ? "board-page" : "board-page has-panel"}>
      <div className="board-main">
        <div className="board-tools">
          <label className="search">
            <SearchIcon size={16} />
            <span className="visually-hidden">Search tickets</span>
            <input
              id="board-search"
              type="search"
              placeholder="Search"
              value={search}
              onChange={(event) => setSearch(event.target.value)}
            />
          </label>
          <button type="button" className="chip" aria-pressed={mine} onClick={() => setMine(!mine)}>
            Only mine
          </button>
          <span className="board-space" />
          <button
            type="button"
            className="icon-button"
            aria-label="Keyboard shortcuts"
            onClick={() => setHelping(true)}
          >
            <KeyboardIcon />
          </button>
          <button type="button" className="button button-primary" onClick={() => setCreating(true)}>
            <PlusIcon size={16} />
            New ticket
          </button>
        </div>
        {board.failure && <Failed message={board.failure} retry={board.reload} />}
        <section className="columns" aria-label="Board">
          {board.loading && [0, 1, 2, 3].map((number) => <ColumnSkeleton key={number} />)}
          {!board.loading &&
            board.statuses.map((status, index) => (
              <Column
                key={status.id}
                status={status}
                tickets={columnOf(status)}
                opened={ticket?.ticket_id}
                filtered={search !== "" || mine}
                onAdd={() => setCreating(status)}
                onDrop={(id) => {
                  const dropped = board.byId.get(id);
                  if (dropped) void move(dropped, status);
                }}
                onShift={(shifted, by) => {
                  const target = board.statuses[index + by];
                  if (!target) return;
                  moved.current = shifted.ticket_id;
                  void move(shifted, target);
                }}
              />
            ))}
        </section>
      </div>
      {opened !== undefined && !board.loading && <TicketPanel key={opened} ticket={ticket} onClose={close} />}
      {creating && (
        <NewTicket {...(creating !== true && { status: creating.id })} onClose={() => setCreating(undefined)} />
      )}
      {helping && <KeyboardHelp onClose={() => setHelping(false)} />}
    </div>
  );
}

function matches(ticket: Ticket, search: string): boolean {
  const text = `${ticket.key} ${ticket.title} ${ticket.labels.join(" ")}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Keys that do something wherever nothing is being written. */
function useShortcuts(shortcuts: Readonly<Record<string, () => void>>) {
  const pressed = useEffectEvent((event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    const writing = target.matches("input, textarea, select, [contenteditable]") || target.closest("dialog");
    const shortcut = shortcuts[event.key];
    if (!shortcut || writing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    shortcut();
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => pressed(event);
    addEventListener("keydown", listener);
    return () => removeEventListener("keydown", listener);
  }, []);
}
