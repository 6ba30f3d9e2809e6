import { type FormEvent, useState } from "react";
import { said } from "../api/request.ts";
import type { Conversation, Id, Named } from "../api/types.ts";
import { Avatar } from "../people/avatar.tsx";
import { nameOf, same, usePeople } from "../people/directory.ts";
import { go } from "../routing/route.ts";
import { useMe } from "../session/use-session.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Empty } from "../ui/states.tsx";

interface Props {
  readonly begin: (participants: readonly Id[], name: string) => Promise<Conversation>;
  readonly onClose: () => void;
}

/** With whom? Those whom this page has heard of: members of one's projects, and for an admin everyone. */
export function NewConversation({ begin, onClose }: Props) {
  const me = useMe();
  const people = [...usePeople().values()].filter(({ id }) => !same(id, me.id));
  const [chosen, setChosen] = useState<readonly Id[]>([]);
  const [failure, setFailure] = useState<string>();

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name") ?? "").trim();
    try {
      const { id } = await begin(chosen, name);
      onClose();
      go({ page: "conversation", conversation: String(id) });
    } catch (error) {
      setFailure(said(error));
    }
  }
  const toggle = (person: Named, on: boolean) =>
    setChosen((known) => (on ? [...known, person.id] : known.filter((id) => !same(id, person.id))));
  return (
    <Dialog title="New conversation" onClose={onClose}>
      <form className="form" onSubmit={submit}>
        {failure && (
          <p className="notice" role="alert">
            {failure}
          </p>
        )}
        <fieldset className="people">
          <legend>With</legend>
          {people.length === 0 && <Empty title="Nobody else is known here yet" />}
          {people.map((person) => (
            <label key={String(person.id)} className="person">
              <input type="checkbox" onChange={(event) => toggle(person, event.target.checked)} />
              <Avatar person={person} decorative />
              <span>{nameOf(person)}</span>
              <span className="quiet">@{person.username}</span>
            </label>
          ))}
        </fieldset>
        {chosen.length > 1 && (
          <label className="field">
            <span>Name, if it is to have one</span>
            <input name="name" maxLength={100} autoComplete="off" />
          </label>
        )}
        <footer className="dialog-foot">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={chosen.length === 0}>
            Begin
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
