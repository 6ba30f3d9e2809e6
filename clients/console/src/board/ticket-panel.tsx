import { useEffect, useEffectEvent, useId, useRef, useState } from "react";
import { Problem, said } from "../api/request.ts";
import type { Ticket, TicketChange } from "../api/types.ts";
import { Avatars } from "../people/avatar.tsx";
import { nameOf, same } from "../people/directory.ts";
import { useProject } from "../project/project.tsx";
import { isAdmin, useMe } from "../session/use-session.ts";
import { CloseIcon, TrashIcon } from "../ui/icons.tsx";
import { Empty } from "../ui/states.tsx";
import { Comments } from "./comments.tsx";
import { TicketFields } from "./ticket-fields.tsx";
import { TicketHistory } from "./ticket-history.tsx";

interface Props {
  /** `undefined`: there is none, or not any more. */
  readonly ticket: Ticket | undefined;
  readonly onClose: () => void;
}

/** One ticket, beside the board. */
export function TicketPanel({ ticket, onClose }: Props) {
  const { presence } = useProject();
  const heading = useId();
  const panel = useRef<HTMLElement>(null);
  const id = ticket?.ticket_id;
  const view = useEffectEvent((viewed: number | undefined) => presence.view(viewed));
  useEffect(() => {
    if (id === undefined) return;
    view(id);
    return () => view(undefined);
  }, [id]);
  const close = useEffectEvent(onClose);
  useEffect(() => {
    panel.current?.focus();
    const pressed = (event: KeyboardEvent) => {
      const elsewhere = (event.target as HTMLElement).closest("dialog, .bell-menu");
      if (event.key === "Escape" && !elsewhere) close();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
  return (
    <section ref={panel} className="panel" aria-labelledby={heading} tabIndex={-1}>
      <header className="panel-head">
        <h2 id={heading} className="ticket-key">
          {ticket?.key ?? "Ticket"}
        </h2>
        <Viewers ticket={id} />
        <span className="card-space" />
        {ticket && <Delete ticket={ticket} onDone={onClose} />}
        <button type="button" className="icon-button" aria-label="Close ticket" onClick={onClose}>
          <CloseIcon />
        </button>
      </header>
      {ticket ? (
        <div className="panel-body">
          <Editor ticket={ticket} />
          <Comments ticket={ticket} />
          <TicketHistory ticket={ticket} />
        </div>
      ) : (
        <Empty title="This ticket is not there">It was deleted, or never was.</Empty>
      )}
    </section>
  );
}

function Viewers({ ticket }: { ticket: number | undefined }) {
  const { presence } = useProject();
  const me = useMe();
  const viewers = ticket === undefined ? [] : presence.viewers(ticket, me.id);
  if (viewers.length === 0) return null;
  const names = viewers.map((person) => nameOf(person)).join(", ");
  return (
    <span className="viewers">
      <Avatars people={viewers} label="Looking at it" />
      <span className="viewers-words">
        {names} {viewers.length === 1 ? "is" : "are"} looking at this
      </span>
    </span>
  );
}

/** Every field is saved by itself. What somebody else has changed meanwhile is not written over unseen. */
function Editor({ ticket }: { ticket: Ticket }) {
  const { board } = useProject();
  const [outcome, setOutcome] = useState<{ readonly text: string; readonly failed: boolean }>();

  async function save(change: TicketChange, version?: number) {
    try {
      await board.change(ticket.ticket_id, change, version);
      setOutcome({ text: "Saved", failed: false });
    } catch (error) {
      const conflict = error instanceof Problem && error.status === 409;
      const text = conflict ? "Somebody changed this meanwhile: here is how it is now." : said(error);
      setOutcome({ text, failed: true });
    }
  }

  return (
    <>
      <TicketFields ticket={ticket} save={save} />
      <p className={outcome?.failed ? "outcome is-failed" : "outcome"} role="status">
        {outcome?.text}
      </p>
    </>
  );
}

/** For its reporter and admins; a second press means it. */
function Delete({ ticket, onDone }: { ticket: Ticket; onDone: () => void }) {
  const { board } = useProject();
  const me = useMe();
  const [asked, setAsked] = useState(false);
  const [failure, setFailure] = useState<string>();
  if (!isAdmin(me) && !same(ticket.reporter.id, me.id)) return null;
  const remove = () => board.remove(ticket.ticket_id).then(onDone, (error) => setFailure(said(error)));
  return asked ? (
    <span className="confirm">
      {failure && <span role="alert">{failure}</span>}
      <button type="button" className="button button-danger button-small" onClick={() => void remove()}>
        Delete {ticket.key}
      </button>
      <button type="button" className="button button-small" onClick={() => setAsked(false)}>
        Keep
      </button>
    </span>
  ) : (
    <button type="button" className="icon-button" aria-label="Delete ticket" onClick={() => setAsked(true)}>
      <TrashIcon />
    </button>
  );
}
