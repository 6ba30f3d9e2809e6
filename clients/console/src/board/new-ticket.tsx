import { type FormEvent, useState } from "react";
import { said } from "../api/request.ts";
import type { Priority, TicketChange } from "../api/types.ts";
import { useProject } from "../project/project.tsx";
import { announce } from "../shell/announcer.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { AssigneeOptions, labelsOf, PriorityOptions, StatusOptions } from "./fields.tsx";

interface Props {
  /** The column that it is to be in. */
  readonly status?: number;
  readonly onClose: () => void;
}

export function NewTicket({ status, onClose }: Props) {
  const { board } = useProject();
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    try {
      const ticket = await board.create(written(new FormData(event.currentTarget)));
      announce(`${ticket.key} was created`);
      onClose();
    } catch (error) {
      setFailure(said(error));
      setBusy(false);
    }
  }

  return (
    <Dialog title="New ticket" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        {failure && (
          <p className="notice" role="alert">
            {failure}
          </p>
        )}
        <label className="field">
          <span>Title</span>
          <input name="title" required maxLength={200} autoComplete="off" />
        </label>
        <label className="field">
          <span>Description</span>
          <textarea name="description" rows={4} />
        </label>
        <div className="field-row">
          <label className="field">
            <span>Status</span>
            <select name="status" defaultValue={status ?? board.statuses[0]?.id}>
              <StatusOptions />
            </select>
          </label>
          <label className="field">
            <span>Priority</span>
            <select name="priority" defaultValue="medium">
              <PriorityOptions />
            </select>
          </label>
        </div>
        <div className="field-row">
          <label className="field">
            <span>Assignee</span>
            <select name="assignee" defaultValue="">
              <AssigneeOptions />
            </select>
          </label>
          <label className="field">
            <span>Due</span>
            <input name="due_date" type="date" />
          </label>
        </div>
        <label className="field">
          <span>Labels, with commas between</span>
          <input name="labels" autoComplete="off" />
        </label>
        <footer className="dialog-foot">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={busy}>
            {busy ? "Creating…" : "Create"}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function written(form: FormData): TicketChange {
  const text = (name: string) => String(form.get(name) ?? "");
  const assignee = text("assignee");
  return {
    title: text("title"),
    description: text("description"),
    status: Number(text("status")),
    priority: text("priority") as Priority,
    labels: labelsOf(text("labels")),
    ...(assignee !== "" && { assignee: idOf(assignee) }),
    ...(text("due_date") !== "" && { due_date: text("due_date") }),
  };
}

/** An id as the API reads it. */
export function idOf(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}
