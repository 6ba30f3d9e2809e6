import { type FormEvent, useState } from "react";
import { nameOf, same } from "../people/directory.ts";
import { useMe } from "../session/use-session.ts";
import { EditIcon, ReplyIcon, SmileIcon, TrashIcon } from "../ui/icons.tsx";
import { AttachedFile } from "./attach.tsx";
import type { Line } from "./lines.ts";
import { MessageRow } from "./message-row.tsx";
import type { Talk } from "./use-conversation.ts";

const EMOJI = ["👍", "❤️", "🎉", "😄", "👀", "🙏"];

interface Props {
  readonly line: Line;
  readonly isFirst: boolean;
  readonly isOwn: boolean;
  /** What it replies to. */
  readonly quoted: Line | undefined;
  readonly talk: Talk;
  readonly onReply: () => void;
}

/** A message of a conversation, with all that can be done with one. */
export function TalkMessage({ line, isFirst, isOwn, quoted, talk, onReply }: Props) {
  const [editing, setEditing] = useState(false);
  const [choosing, setChoosing] = useState(false);
  const isSettled = line.id !== undefined && !line.deleted;

  function react(emoji: string) {
    talk.react(line, emoji);
    setChoosing(false);
  }
  const actions = isSettled && !editing && (
    <div className={choosing ? "message-actions is-open" : "message-actions"}>
      {choosing &&
        EMOJI.map((emoji) => (
          <button
            key={emoji}
            type="button"
            className="emoji-button"
            onClick={() => react(emoji)}
            aria-label={`React with ${emoji}`}
          >
            {emoji}
          </button>
        ))}
      <button
        type="button"
        className="icon-button"
        aria-label="React"
        aria-expanded={choosing}
        onClick={() => setChoosing(!choosing)}
      >
        <SmileIcon size={16} />
      </button>
      <button type="button" className="icon-button" aria-label="Reply" onClick={onReply}>
        <ReplyIcon size={16} />
      </button>
      {isOwn && (
        <>
          <button type="button" className="icon-button" aria-label="Edit" onClick={() => setEditing(true)}>
            <EditIcon size={16} />
          </button>
          <button type="button" className="icon-button" aria-label="Delete" onClick={() => talk.remove(line)}>
            <TrashIcon size={16} />
          </button>
        </>
      )}
    </div>
  );
  return (
    <MessageRow
      line={line}
      isFirst={isFirst}
      actions={actions}
      above={line.replyTo !== undefined && <Quote line={quoted} />}
      below={
        <>
          {line.attachments.map((file) => (
            <AttachedFile key={file.id} file={file} />
          ))}
          <Reactions line={line} react={react} />
        </>
      }
    >
      {editing ? <Edit line={line} talk={talk} onDone={() => setEditing(false)} /> : undefined}
    </MessageRow>
  );
}

function Quote({ line }: { line: Line | undefined }) {
  return (
    <p className="quote">
      {line ? (
        <>
          <strong>{nameOf(line.sender)}</strong> {line.deleted ? "deleted message" : line.text.slice(0, 120)}
        </>
      ) : (
        "an earlier message"
      )}
    </p>
  );
}

function Reactions({ line, react }: { line: Line; react: (emoji: string) => void }) {
  const me = useMe();
  if (line.reactions.length === 0) return null;
  return (
    <ul className="reactions" aria-label="Reactions">
      {line.reactions.map(({ emoji, count, user_ids }) => (
        <li key={emoji}>
          <button
            type="button"
            className="reaction"
            aria-pressed={user_ids.some((id) => same(id, me.id))}
            onClick={() => react(emoji)}
          >
            {emoji} {count}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Edit({ line, talk, onDone }: { line: Line; talk: Talk; onDone: () => void }) {
  const [text, setText] = useState(line.text);
  function submit(event: FormEvent) {
    event.preventDefault();
    if (text.trim() !== "" && text.trim() !== line.text) talk.edit(line, text.trim());
    onDone();
  }
  return (
    <form className="edit" onSubmit={submit}>
      <label>
        <span className="visually-hidden">Edit the message</span>
        <input
          value={text}
          // biome-ignore lint/a11y/noAutofocus: whoever pressed "Edit" goes on here
          autoFocus
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => event.key === "Escape" && onDone()}
        />
      </label>
      <button type="submit" className="button button-small button-primary">
        Save
      </button>
      <button type="button" className="button button-small" onClick={onDone}>
        Cancel
      </button>
    </form>
  );
}
