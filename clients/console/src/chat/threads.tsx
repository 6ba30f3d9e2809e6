import { type FormEvent, useState } from "react";
import type { Conversation, Named } from "../api/types.ts";
import { Avatar } from "../people/avatar.tsx";
import { nameOf, same, usePeople } from "../people/directory.ts";
import { go, hashOf } from "../routing/route.ts";
import { useMe } from "../session/use-session.ts";
import { PlusIcon } from "../ui/icons.tsx";
import { Skeleton } from "../ui/states.tsx";
import { ago, useNow } from "../ui/when.ts";
import type { Conversations } from "./use-conversations.ts";

/** Those that document 2 speaks of. Any other is entered by its name. */
const ROOMS = ["general", "tech", "random"];

const KEY = "carillon.rooms";

function visited(): string[] {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]");
  } catch {
    return [];
  }
}

interface Props {
  readonly conversations: Conversations;
  readonly room: string | undefined;
  readonly conversation: string | undefined;
  readonly onNew: () => void;
}

/** Where one can talk. */
export function Threads({ conversations, room, conversation, onNew }: Props) {
  const rooms = [...new Set([...ROOMS, ...visited(), ...(room ? [room] : [])])];
  return (
    <nav className="threads" aria-label="Rooms and conversations">
      <header className="threads-head">
        <h2>Rooms</h2>
      </header>
      <ul>
        {rooms.map((name) => (
          <li key={name}>
            <a
              className="thread-link"
              href={hashOf({ page: "room", room: name })}
              {...(name === room && { "aria-current": "page" as const })}
            >
              <span className="hash" aria-hidden="true">
                #
              </span>
              <span className="thread-name">{name}</span>
            </a>
          </li>
        ))}
      </ul>
      <EnterRoom />
      <header className="threads-head">
        <h2>Conversations</h2>
        <button type="button" className="icon-button" aria-label="New conversation" onClick={onNew}>
          <PlusIcon size={16} />
        </button>
      </header>
      {!conversations.conversations && !conversations.failure && <Skeleton lines={3} />}
      {conversations.failure && <p className="quiet">{conversations.failure}</p>}
      {conversations.conversations?.length === 0 && <p className="quiet">None yet. Begin one with the plus sign.</p>}
      <ul>
        {conversations.conversations?.map((one) => (
          <li key={one.id}>
            <ConversationLink conversation={one} isOpen={String(one.id) === conversation} />
          </li>
        ))}
      </ul>
    </nav>
  );
}

function ConversationLink({ conversation, isOpen }: { conversation: Conversation; isOpen: boolean }) {
  const now = useNow();
  const title = useTitle(conversation);
  const others = useOthers(conversation);
  const last = conversation.last_message;
  const unread = isOpen ? 0 : conversation.unread_count;
  const first = others[0];
  return (
    <a
      className={unread > 0 ? "thread-link is-unread" : "thread-link"}
      href={hashOf({ page: "conversation", conversation: String(conversation.id) })}
      {...(isOpen && { "aria-current": "page" as const })}
    >
      {first && <Avatar person={first} decorative />}
      <span className="thread-words">
        <span className="thread-name">{title}</span>
        <span className="thread-last">
          {last ? (last.deleted ? "Message deleted" : last.content || "A file") : "No messages yet"}
        </span>
      </span>
      <span className="thread-facts">
        {last && <time dateTime={last.timestamp}>{ago(last.timestamp, now)}</time>}
        {unread > 0 && (
          <span className="badge">
            {unread}
            <span className="visually-hidden"> unread</span>
          </span>
        )}
      </span>
    </a>
  );
}

/** Its participants but for oneself. */
export function useOthers<Person extends Named>({
  participants,
}: {
  participants: readonly Person[];
}): readonly Person[] {
  const me = useMe();
  const others = participants.filter(({ id }) => !same(id, me.id));
  return others.length > 0 ? others : participants;
}

/** Its name, or else those who take part. */
export function useTitle(conversation: Conversation): string {
  const directory = usePeople();
  const others = useOthers(conversation);
  return conversation.name || others.map((person) => nameOf(person, directory)).join(", ");
}

function EnterRoom() {
  const [name, setName] = useState("");
  function enter(event: FormEvent) {
    event.preventDefault();
    // A name of digits is a conversation's.
    const room = name.trim().replace(/^#/, "");
    if (room === "" || /^\d+$/.test(room)) return;
    localStorage.setItem(KEY, JSON.stringify([...new Set([...visited(), room])].slice(-20)));
    setName("");
    go({ page: "room", room });
  }
  return (
    <form className="enter-room" onSubmit={enter}>
      <label>
        <span className="visually-hidden">Enter another room</span>
        <input
          value={name}
          maxLength={100}
          placeholder="Another room…"
          onChange={(event) => setName(event.target.value)}
        />
      </label>
    </form>
  );
}
