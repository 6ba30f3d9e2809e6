import type { Attachment, Id, Message, Named, Reaction } from "../api/types.ts";

/** A message as it is shown, of a room or a conversation. */
export interface Line {
  /** What tells it from the others, also before the server has given it an id. */
  readonly key: string;
  /** `undefined` until the server has it. */
  readonly id?: number;
  readonly sender: Named;
  readonly text: string;
  readonly timestamp: string;
  readonly failure?: string;
  readonly edited?: boolean;
  readonly deleted?: boolean;
  readonly replyTo?: number;
  readonly attachments: readonly Attachment[];
  readonly reactions: readonly Reaction[];
}

const NOBODY: Named = { id: "", username: "somebody", first_name: "", last_name: "" };

/** A conversation's message. */
export function lineOf(message: Message): Line {
  const { id, content, sender, timestamp, edited_at, deleted, reply_to, attachments, reactions } = message;
  return {
    key: message.client_id ?? `message-${id}`,
    id,
    sender: sender ?? NOBODY,
    text: content,
    timestamp,
    attachments: attachments ?? [],
    reactions: reactions ?? [],
    ...(edited_at && { edited: true }),
    ...(deleted && { deleted: true }),
    ...(reply_to && { replyTo: reply_to.id }),
  };
}

/** What a room's `chat_message` says. */
export interface RoomMessage {
  readonly id: number;
  readonly message: string;
  readonly username: string;
  readonly user_id?: Id;
  readonly timestamp: string;
  readonly client_id?: string;
}

export function lineOfRoom({ id, message, username, user_id, timestamp, client_id }: RoomMessage): Line {
  const sender = { id: user_id ?? `anonymous ${username}`, username, first_name: "", last_name: "" };
  return { key: client_id ?? `message-${id}`, id, sender, text: message, timestamp, attachments: [], reactions: [] };
}

/** With some more of them, or newer ones; those that the server doesn't have yet come last. */
export function withLines(known: readonly Line[], lines: readonly Line[]): readonly Line[] {
  const byKey = new Map(known.map((line) => [line.key, line]));
  for (const line of lines) byKey.set(line.key, line);
  const place = ({ id }: Line) => id ?? Number.POSITIVE_INFINITY;
  return [...byKey.values()].sort((one, other) => (place(one) === place(other) ? 0 : place(one) - place(other)));
}

/** With a change of the message of that id, if it is there. */
export function changed(known: readonly Line[], id: unknown, change: (line: Line) => Line): readonly Line[] {
  return known.map((line) => (line.id !== undefined && line.id === id ? change(line) : line));
}

/** With one reaction more or less. */
export function reacted(line: Line, emoji: string, user: Id, isAdded: boolean): Line {
  const others = line.reactions.filter((reaction) => reaction.emoji !== emoji);
  const before = line.reactions.find((reaction) => reaction.emoji === emoji)?.user_ids ?? [];
  const rest = before.filter((id) => String(id) !== String(user));
  const user_ids = isAdded ? [...rest, user] : rest;
  const reaction = { emoji, count: user_ids.length, user_ids };
  const index = line.reactions.findIndex((each) => each.emoji === emoji);
  const reactions =
    user_ids.length === 0 ? others : index < 0 ? [...others, reaction] : line.reactions.with(index, reaction);
  return { ...line, reactions };
}
