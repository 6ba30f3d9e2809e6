import { useEffect, useEffectEvent, useState } from "react";
import { unique } from "../api/request.ts";
import type { Attachment, Conversation, Frame, Id, Message, Named, Participant } from "../api/types.ts";
import { useEndpoint } from "../live/use-endpoint.ts";
import { meet, same } from "../people/directory.ts";
import { useMe } from "../session/use-session.ts";
import { changed, type Line, lineOf, reacted, withLines } from "./lines.ts";

const HISTORY = 100;

export interface Talk {
  readonly conversation: Conversation | undefined;
  readonly lines: readonly Line[];
  readonly typists: readonly Named[];
  /** Why one can't take part. */
  readonly refusal: string | undefined;
  say(text: string, options: { replyTo?: number | undefined; attachments?: readonly Attachment[] }): void;
  type(isTyping: boolean): void;
  react(line: Line, emoji: string): void;
  edit(line: Line, text: string): void;
  remove(line: Line): void;
}

/** A conversation, as its participants see it (document 4). */
export function useConversation(id: string): Talk {
  const me = useMe();
  const [conversation, setConversation] = useState<Conversation>();
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [typists, setTypists] = useState<readonly Named[]>([]);
  const { send, state } = useEndpoint(`ws/chat/${encodeURIComponent(id)}/`, { query: { history: HISTORY }, onFrame });

  function onFrame(frame: Frame) {
    const user = frame.user as Named | undefined;
    const participant = (change: (participant: Participant) => Participant, id: unknown) =>
      setConversation(
        (known) =>
          known && {
            ...known,
            participants: known.participants.map((one) => (same(one.id, id as Id) ? change(one) : one)),
          },
      );
    switch (frame.type) {
      case "conversation_joined":
      case "conversation_updated":
        meet(...((frame.conversation as Conversation).participants ?? []));
        setConversation((known) => ({ ...known, ...(frame.conversation as Conversation) }));
        break;
      case "chat_message": {
        const line = lineOf(frame.message as Message);
        meet(line.sender);
        setTypists((known) => known.filter(({ id }) => !same(id, line.sender.id)));
        setLines((known) => withLines(known, [line]));
        break;
      }
      case "message_edited":
        setLines((known) => withLines(known, [lineOf(frame.message as Message)]));
        break;
      case "message_deleted":
        setLines((known) => changed(known, frame.message_id, deleted));
        break;
      case "message_reaction":
        if (user)
          setLines((known) =>
            changed(known, frame.message_id, (line) =>
              reacted(line, String(frame.emoji), user.id, frame.action === "add"),
            ),
          );
        break;
      case "message_read": {
        const read_up_to = Number(frame.message_id);
        participant(
          (one) => ({ ...one, read_up_to: Math.max(one.read_up_to, read_up_to) }),
          (frame.read_by as Named).id,
        );
        break;
      }
      case "user_status":
        participant((one) => ({ ...one, status: frame.status as Participant["status"] }), frame.user_id);
        break;
      case "typing_indicator":
        if (user)
          setTypists((known) => [...known.filter(({ id }) => !same(id, user.id)), ...(frame.is_typing ? [user] : [])]);
        break;
      case "error":
        setLines((known) =>
          known.map((line) => (line.key === frame.client_id ? { ...line, failure: String(frame.message) } : line)),
        );
        break;
    }
  }

  useReceipts(lines, conversation, (message_id) => send({ type: "message_read", message_id }));
  return {
    conversation,
    lines,
    typists: typists.filter(({ id }) => !same(id, me.id)),
    refusal: state.status === "closed" ? (state.reason?.message ?? "The conversation was closed.") : undefined,
    say(text, { replyTo, attachments = [] }) {
      const key = unique();
      const timestamp = new Date().toISOString();
      const line: Line = { key, sender: me, text, timestamp, attachments, reactions: [], ...(replyTo && { replyTo }) };
      setLines((known) => withLines(known, [line]));
      const message_type = attachments.length > 0 ? "file" : "text";
      const rest = {
        ...(replyTo && { reply_to: replyTo }),
        ...(attachments.length > 0 && { attachments: attachments.map(({ id }) => id) }),
      };
      send({ type: "chat_message", message: text, message_type, client_id: key, ...rest });
    },
    type: (is_typing) => send({ type: "typing_indicator", is_typing }),
    react(line, emoji) {
      const own = line.reactions.find((reaction) => reaction.emoji === emoji)?.user_ids.some((id) => same(id, me.id));
      send({ type: "message_reaction", message_id: line.id, emoji, action: own ? "remove" : "add" });
    },
    edit: (line, text) => send({ type: "message_edit", message_id: line.id, message: text }),
    remove: (line) => send({ type: "message_delete", message_id: line.id }),
  };
}

function deleted(line: Line): Line {
  return { ...line, text: "", deleted: true, attachments: [], reactions: [] };
}

/** Tells the others what has been read, once it was shown on a page that somebody looks at. */
function useReceipts(lines: readonly Line[], conversation: Conversation | undefined, read: (message: number) => void) {
  const me = useMe();
  const last = lines.findLast(({ id, sender }) => id !== undefined && !same(sender.id, me.id))?.id;
  const own = conversation?.participants.find(({ id }) => same(id, me.id))?.read_up_to;
  const tell = useEffectEvent(() => {
    if (document.visibilityState === "visible" && last !== undefined && own !== undefined && last > own) read(last);
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever one of them changes there may be something to tell
  useEffect(() => tell(), [last, own]);
  useEffect(() => {
    const looked = () => tell();
    document.addEventListener("visibilitychange", looked);
    return () => document.removeEventListener("visibilitychange", looked);
  }, []);
}
