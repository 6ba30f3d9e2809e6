import { useCallback, useEffect, useState } from "react";
import { request, said } from "../api/request.ts";
import type { Conversation, Id } from "../api/types.ts";
import { meet } from "../people/directory.ts";

export interface Conversations {
  readonly conversations: readonly Conversation[] | undefined;
  readonly failure: string | undefined;
  begin(participants: readonly Id[], name: string): Promise<Conversation>;
  /** What is unread there has been read. */
  opened(id: string): void;
}

/** One's conversations, the liveliest first; looked at again whenever `arrivals` counts up. */
export function useConversations(arrivals: number): Conversations {
  const [conversations, setConversations] = useState<readonly Conversation[]>();
  const [failure, setFailure] = useState<string>();
  const load = useCallback(async () => {
    try {
      const page = await request<{ conversations: Conversation[] }>("GET", "/api/chat/conversations/?limit=100");
      meet(...page.conversations.flatMap(({ participants }) => participants));
      setConversations(page.conversations);
    } catch (error) {
      setFailure(said(error));
    }
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a notification may be of a conversation
  useEffect(() => void load(), [load, arrivals]);
  return {
    conversations,
    failure,
    begin: async (participants, name) => {
      const body = { participants, ...(name !== "" && { name }) };
      const begun = await request<Conversation>("POST", "/api/chat/conversations/", { body });
      await load();
      return begun;
    },
    opened: useCallback((id) => {
      const read = (one: Conversation) => (String(one.id) === id ? { ...one, unread_count: 0 } : one);
      setConversations((known) => known?.map(read));
    }, []),
  };
}
