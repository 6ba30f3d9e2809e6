import { useState } from "react";
import type { Attachment, Participant } from "../api/types.ts";
import { Avatar, Avatars } from "../people/avatar.tsx";
import { nameOf, same } from "../people/directory.ts";
import { hashOf } from "../routing/route.ts";
import { useMe } from "../session/use-session.ts";
import { BackIcon, CloseIcon } from "../ui/icons.tsx";
import { Empty, Failed, Skeleton } from "../ui/states.tsx";
import { TypingLine } from "../ui/typing.tsx";
import { AttachButton } from "./attach.tsx";
import { Composer } from "./composer.tsx";
import type { Line } from "./lines.ts";
import { MessageList } from "./message-list.tsx";
import { TalkMessage } from "./talk-message.tsx";
import { useOthers, useTitle } from "./threads.tsx";
import { useConversation } from "./use-conversation.ts";

const NOBODY = { id: 0, name: null, participants: [], unread_count: 0 };

/** A conversation: who takes part, what was said, and who has read it. */
export function ConversationThread({ id }: { id: string }) {
  const talk = useConversation(id);
  const me = useMe();
  const [replying, setReplying] = useState<Line>();
  const [attached, setAttached] = useState<readonly Attachment[]>([]);
  const title = useTitle(talk.conversation ?? NOBODY);
  const others = useOthers<Participant>(talk.conversation ?? NOBODY);
  if (talk.refusal) return <Failed message={talk.refusal} />;

  function say(text: string) {
    talk.say(text, { replyTo: replying?.id, attachments: attached });
    setReplying(undefined);
    setAttached([]);
  }
  const online = others.filter(({ status }) => status === "online");
  return (
    <section className="thread" aria-label={`Conversation with ${title}`}>
      <header className="thread-head">
        <a className="icon-button thread-back" href={hashOf({ page: "chat" })} aria-label="All conversations">
          <BackIcon />
        </a>
        {others.length === 1 && others[0] && <Avatar person={others[0]} online={online.length > 0} />}
        <h2>{title}</h2>
        <span className="quiet">{presenceOf(others.length, online)}</span>
      </header>
      {!talk.conversation && <Skeleton lines={6} />}
      {talk.conversation && talk.lines.length === 0 && <Empty title={`This is the beginning with ${title}`} />}
      <MessageList lines={talk.lines} label="Messages">
        {(line, isFirst) => (
          <>
            <TalkMessage
              line={line}
              isFirst={isFirst}
              isOwn={same(line.sender.id, me.id)}
              quoted={talk.lines.find(({ id }) => id !== undefined && id === line.replyTo)}
              talk={talk}
              onReply={() => setReplying(line)}
            />
            <Readers line={line} lines={talk.lines} others={others} />
          </>
        )}
      </MessageList>
      <TypingLine people={talk.typists} />
      {replying && (
        <p className="replying">
          <span>
            Reply to <strong>{nameOf(replying.sender)}</strong>: {replying.text.slice(0, 80)}
          </span>
          <button type="button" className="icon-button" aria-label="Don't reply" onClick={() => setReplying(undefined)}>
            <CloseIcon size={14} />
          </button>
        </p>
      )}
      {attached.length > 0 && (
        <ul className="attached">
          {attached.map((file) => (
            <li key={file.id} className="label">
              {file.name}
            </li>
          ))}
        </ul>
      )}
      <Composer placeholder={`Message ${title}`} say={say} typing={talk.type} hasMore={attached.length > 0}>
        <AttachButton onAttached={(file) => setAttached((known) => [...known, file])} />
      </Composer>
    </section>
  );
}

function presenceOf(others: number, online: readonly Participant[]): string {
  if (others === 1) return online.length === 1 ? "online" : "offline";
  return others === 0 ? "" : `${online.length} of ${others} online`;
}

/** Those who have read up to here and no further. */
function Readers({ line, lines, others }: { line: Line; lines: readonly Line[]; others: readonly Participant[] }) {
  const readers = others.filter(
    (reader) => lines.findLast(({ id }) => id !== undefined && id <= reader.read_up_to)?.id === line.id,
  );
  if (line.id === undefined || readers.length === 0) return null;
  return (
    <div className="readers">
      <span className="visually-hidden">Seen by {readers.map((reader) => nameOf(reader)).join(", ")}</span>
      <span aria-hidden="true">Seen</span>
      <Avatars people={readers} label="Seen by" />
    </div>
  );
}
