import { httpAddress } from "../address.js";
import type {
  ConnectionState,
  Conversation,
  ConversationFrame,
  ConversationMessage,
  Id,
  Participant,
  Person,
  RoomFrame,
  RoomMessage,
} from "../index.js";
import { ask } from "../token.js";
import { type ChatMessage, clientId, merged, ofConversation, ofRoom } from "./chat_message.js";
import type { AnyFrame, SocketStore } from "./socket_store.js";
import { type Connected, connected, Store, unconnected } from "./store.js";
import type { Tier } from "./tier.js";

export interface ChatState extends Connected {
  /** The oldest first; what is not acknowledged yet last. */
  messages: ChatMessage[];
  /** Of a conversation: who is in it. */
  participants: Participant[];
  /** Of a conversation: what the server calls it, and who this user is there. */
  conversation: Conversation | null;
  userId: Id | null;
  /** Who types now, but for this connection. */
  typing: Person[];
  /** Whether there are older messages, for `loadMore`. */
  hasMore: boolean;
  /** What was refused last. */
  error: string | null;
}

/** What can be said about a message beside its text. */
export interface MessageOptions {
  message_type?: string;
  reply_to?: number;
  attachments?: string[];
  /** In a room, of somebody without a token. */
  username?: string;
}

/** How many messages a page has. */
const PAGE = 50;

/** Before anything was heard. */
export const silence: ChatState = {
  messages: [],
  participants: [],
  conversation: null,
  userId: null,
  typing: [],
  hasMore: false,
  error: null,
  ...unconnected,
};

/** A room, by its name, or a conversation, by its number. */
export class ChatStore extends Store<ChatState> {
  readonly #tier: Tier;
  readonly #target: Id;
  readonly #socket: SocketStore;
  readonly #isRoom: boolean;
  #release: (() => void)[] = [];
  #past = 0;

  constructor(tier: Tier, target: Id) {
    super(silence);
    this.#tier = tier;
    this.#target = target;
    this.#isRoom = !/^\d+$/.test(String(target));
    this.#socket = tier.socket(`ws/chat/${encodeURIComponent(target)}/`, { query: { history: PAGE } });
  }

  /** Says something. It is shown at once, and sent again until the server has acknowledged it. */
  send = (message: string, options: MessageOptions = {}): void => {
    const client_id = clientId();
    const { userId, participants } = this.snapshot();
    const me = participants.find(({ id }) => id === userId);
    const sender = me ?? { id: userId, first_name: "", last_name: "", ...(options.username && { username: options.username }) };
    const shown: ChatMessage = {
      id: client_id,
      content: message,
      sender,
      timestamp: new Date().toISOString(),
      message_type: options.message_type ?? "text",
      reply_to: options.reply_to ?? null,
      attachments: [],
      reactions: [],
      status: "sending",
    };
    this.update({ messages: [...this.snapshot().messages, shown] });
    if (this.#socket.send({ type: "chat_message", message, ...options, client_id }) === "refused")
      this.#failed(client_id, "it can't be sent now");
  };

  /** To be repeated while somebody types, at least every five seconds. Rooms have no such thing. */
  setTyping = (isTyping: boolean): void => {
    if (!this.#isRoom && this.#socket.isOpen) this.#socket.send({ type: "typing_indicator", is_typing: isTyping });
  };

  /** Everything up to this message was read. */
  markRead = (message: number): void => void this.#socket.send({ type: "message_read", message_id: message });

  react = (message: number, emoji: string, action: "add" | "remove" = "add"): void =>
    void this.#socket.send({ type: "message_reaction", message_id: message, emoji, action });

  edit = (message: number, text: string): void => void this.#socket.send({ type: "message_edit", message_id: message, message: text });

  remove = (message: number): void => void this.#socket.send({ type: "message_delete", message_id: message });

  /** Fetches a page of older messages. */
  loadMore = async (): Promise<void> => {
    const oldest = this.snapshot().messages.find(({ status }) => status === "sent");
    await this.#load(oldest ? `&before=${oldest.id}` : "");
  };

  protected override start(): void {
    this.#release = [
      this.#socket.retain(),
      this.#socket.onFrame((frame) => this.#received(frame)),
      this.#socket.onGap(() => void this.#load("")),
      this.#socket.onState((connection) => this.#changed(connection)),
    ];
  }

  protected override stop(): void {
    for (const release of this.#release) release();
    this.update({ messages: [], typing: [], ...unconnected });
  }

  /** What a connection that is over has not sent, it never will. */
  #changed(connection: ConnectionState): void {
    const { status, reason } = connection;
    this.update({ ...connected(connection), ...(status === "open" && { error: null }) });
    if (status !== "closed" || !reason) return;
    const messages = this.snapshot().messages.map((one) => (one.status === "sending" ? failed(one, reason.message) : one));
    this.update({ messages, error: reason.message });
  }

  #received(raw: AnyFrame): void {
    const frame = raw as RoomFrame | ConversationFrame;
    const { conversation, participants, typing } = this.snapshot();
    switch (frame.type) {
      case "conversation_joined":
        this.#past = 0;
        return this.update({
          conversation: frame.conversation,
          participants: frame.conversation.participants,
          userId: frame.user_id,
          typing: [],
        });
      case "conversation_updated":
        return this.update({ conversation: conversation && { ...conversation, ...frame.conversation } });
      case "participant_added":
        return this.update({ participants: [...without(participants, frame.participant.id), frame.participant] });
      case "participant_removed":
        return this.update({ participants: without(participants, frame.user_id) });
      case "history":
        return this.update({ hasMore: frame.has_more });
      case "chat_message":
        return this.#said(frame);
      case "message_edited":
        return this.#add(ofConversation(frame.message));
      case "message_deleted":
        return this.#change(frame.message_id, (message) => ({ ...message, content: "", deleted: true, deleted_at: frame.deleted_at }));
      case "message_reaction":
        return this.#change(frame.message_id, (message) => reacted(message, frame.emoji, frame.count));
      case "message_read":
        return this.#person(frame.read_by.id, { ...frame.read_by, read_up_to: frame.message_id });
      case "user_status":
        return this.#person(frame.user_id, { status: frame.status });
      case "typing_indicator": {
        const others = without(typing, frame.user.id);
        this.#person(frame.user.id, frame.user);
        return this.update({ typing: frame.is_typing ? [...others, frame.user] : others });
      }
      case "message_ack":
        return this.#acknowledged(String(frame.client_id), frame.message_id);
      case "error":
        this.update({ error: frame.message });
        if (frame.client_id !== undefined) this.#failed(String(frame.client_id), frame.message);
        return;
    }
  }

  /** What has no offset is from the past. Of a conversation nobody says how much more of that there is. */
  #said(frame: RoomMessage | Extract<ConversationFrame, { type: "chat_message" }>): void {
    const message = this.#isRoom ? ofRoom(frame as RoomMessage) : ofConversation(frame.message as ConversationMessage);
    if (!this.#isRoom) this.#person(message.sender.id, message.sender as Person);
    if (!this.#isRoom && frame.offset === undefined) this.#past += 1;
    this.#add(message);
    if (this.#past >= PAGE) this.update({ hasMore: true });
  }

  /** One that this client has sent takes the place of what was shown until it came. */
  #add(message: ChatMessage): void {
    const others = this.snapshot().messages.filter(({ id }) => message.client_id === undefined || id !== message.client_id);
    this.update({ messages: merged(others, [message]) });
  }

  #change(id: Id, change: (message: ChatMessage) => ChatMessage): void {
    this.update({ messages: this.snapshot().messages.map((message) => (message.id === id ? change(message) : message)) });
  }

  /** What else is known of a participant; the name of one who has never been there, the server learns only when they come. */
  #person(id: Id | null, change: Partial<Participant>): void {
    this.update({ participants: this.snapshot().participants.map((person) => (person.id === id ? { ...person, ...change } : person)) });
  }

  /** The message itself comes too, before or after. */
  #acknowledged(clientId: string, id: number): void {
    const { messages } = this.snapshot();
    const there = messages.some((message) => message.id === id);
    if (there) this.update({ messages: messages.filter((message) => message.id !== clientId) });
    else this.#change(clientId, (message) => ({ ...message, id, status: "sent" }));
  }

  #failed(clientId: string, error: string): void {
    this.#change(clientId, (message) => failed(message, error));
  }

  async #load(before: string): Promise<void> {
    const { token: source, url } = this.#tier.options;
    const token = await ask(source, { reason: "connect" });
    const where = this.#isRoom ? "rooms" : "conversations";
    const address = httpAddress(`api/chat/${where}/${encodeURIComponent(this.#target)}/messages/?limit=${PAGE}${before}`, url);
    const response = await fetch(address, { headers: token ? { authorization: `Bearer ${token}` } : {} });
    if (!response.ok) return this.update({ error: `HTTP ${response.status}` });
    const page = (await response.json()) as { messages: (RoomMessage & ConversationMessage)[]; has_more: boolean };
    const messages = page.messages.map((message) => (this.#isRoom ? ofRoom(message) : ofConversation(message)));
    this.update({ messages: merged(this.snapshot().messages, messages), hasMore: page.has_more });
  }
}

function failed(message: ChatMessage, error: string): ChatMessage {
  return { ...message, status: "failed", error };
}

function reacted(message: ChatMessage, emoji: string, count: number): ChatMessage {
  const others = message.reactions.filter((reaction) => reaction.emoji !== emoji);
  return { ...message, reactions: count > 0 ? [...others, { emoji, count }] : others };
}

function without<One extends Person>(people: readonly One[], id: Id): One[] {
  return people.filter((person) => person.id !== id);
}
