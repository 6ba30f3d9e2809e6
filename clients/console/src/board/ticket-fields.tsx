import { type FocusEvent, type KeyboardEvent, useState } from "react";
import type { Priority, Ticket, TicketChange } from "../api/types.ts";
import { AssigneeOptions, labelsOf, PriorityOptions, StatusOptions } from "./fields.tsx";
import { idOf } from "./new-ticket.tsx";

interface Props {
  readonly ticket: Ticket;
  readonly save: (change: TicketChange, version?: number) => Promise<void>;
}

/** What a ticket consists of, to be changed where it stands. */
export function TicketFields({ ticket, save }: Props) {
  return (
    <>
      <Text
        name="Title"
        className="ticket-title"
        value={ticket.title}
        version={ticket.version}
        required
        lines={1}
        save={(title, version) => save({ title }, version)}
      />
      <Text
        name="Description"
        className="ticket-description"
        value={ticket.description}
        version={ticket.version}
        lines={4}
        placeholder="Describe it…"
        save={(description, version) => save({ description }, version)}
      />
      <div className="ticket-facts">
        <label className="field">
          <span>Status</span>
          <select value={ticket.status.id} onChange={(event) => save({ status: Number(event.target.value) })}>
            <StatusOptions />
          </select>
        </label>
        <label className="field">
          <span>Priority</span>
          <select value={ticket.priority} onChange={(event) => save({ priority: event.target.value as Priority })}>
            <PriorityOptions />
          </select>
        </label>
        <label className="field">
          <span>Assignee</span>
          <select
            value={String(ticket.assignee?.id ?? "")}
            onChange={({ target }) => save({ assignee: target.value === "" ? null : idOf(target.value) })}
          >
            <AssigneeOptions current={ticket.assignee} />
          </select>
        </label>
        <label className="field">
          <span>Due</span>
          <input
            type="date"
            value={ticket.due_date ?? ""}
            onChange={(event) => save({ due_date: event.target.value || null })}
          />
        </label>
        <Text
          name="Labels"
          className="field"
          value={ticket.labels.join(", ")}
          version={ticket.version}
          placeholder="web, urgent…"
          save={(labels) => save({ labels: labelsOf(labels) })}
        />
      </div>
    </>
  );
}

interface TextProps {
  readonly name: string;
  readonly className: string;
  readonly value: string;
  readonly version: number;
  readonly lines?: number;
  readonly required?: boolean;
  readonly placeholder?: string;
  readonly save: (text: string, version: number) => Promise<void>;
}

/** A text that is saved when it is left. While it is being written, what others change doesn't disturb it. */
function Text({ name, className, value, version, lines, required, placeholder, save }: TextProps) {
  const [draft, setDraft] = useState<{ readonly text: string; readonly version: number }>();
  const text = draft?.text ?? value;
  function left(_event: FocusEvent) {
    const unchanged = !draft || draft.text === value || (required && draft.text.trim() === "");
    if (!unchanged) void save(draft.text, draft.version).finally(() => setDraft(undefined));
    else setDraft(undefined);
  }
  function pressed(event: KeyboardEvent<HTMLElement>) {
    if (event.key !== "Enter" || (lines && lines > 1)) return;
    event.preventDefault();
    event.currentTarget.blur();
  }
  const shared = {
    value: text,
    onBlur: left,
    onKeyDown: pressed,
    ...(placeholder && { placeholder }),
  };
  const change = (text: string) => setDraft({ text, version: draft?.version ?? version });
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: either control is one
    <label className={className}>
      <span className={className === "field" ? undefined : "visually-hidden"}>{name}</span>
      {lines ? (
        <textarea rows={lines} {...shared} onChange={(event) => change(event.target.value)} />
      ) : (
        <input {...shared} onChange={(event) => change(event.target.value)} />
      )}
    </label>
  );
}
