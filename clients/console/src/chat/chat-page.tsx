import { useEffect, useState } from "react";
import { Empty } from "../ui/states.tsx";
import { ConversationThread } from "./conversation-thread.tsx";
import { NewConversation } from "./new-conversation.tsx";
import { RoomThread } from "./room-thread.tsx";
import { Threads } from "./threads.tsx";
import { useConversations } from "./use-conversations.ts";

interface Props {
  readonly room?: string;
  readonly conversation?: string;
  readonly arrivals: number;
}

/** Rooms and conversations, and the one that is open. */
export function ChatPage({ room, conversation, arrivals }: Props) {
  const conversations = useConversations(arrivals);
  const [beginning, setBeginning] = useState(false);
  const { opened } = conversations;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what comes while it is open is read, too
  useEffect(() => {
    if (conversation) opened(conversation);
  }, [conversation, opened, conversations.conversations?.length, arrivals]);
  const isOpen = room !== undefined || conversation !== undefined;
  return (
    <div className={isOpen ? "chat has-thread" : "chat"}>
      <Threads conversations={conversations} room={room} conversation={conversation} onNew={() => setBeginning(true)} />
      {room !== undefined && <RoomThread key={room} room={room} />}
      {conversation !== undefined && <ConversationThread key={conversation} id={conversation} />}
      {!isOpen && (
        <div className="chat-none">
          <Empty title="Nothing is open">Enter a room, or talk to somebody.</Empty>
        </div>
      )}
      {beginning && <NewConversation begin={conversations.begin} onClose={() => setBeginning(false)} />}
    </div>
  );
}
