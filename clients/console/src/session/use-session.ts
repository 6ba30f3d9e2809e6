import { useSyncExternalStore } from "react";
import type { Me } from "../api/types.ts";
import { type SessionState, session } from "./session.ts";

export function useSession(): SessionState {
  return useSyncExternalStore(session.listen, () => session.state);
}

/** Whoever is logged in; only for what is shown to those who are. */
export function useMe(): Me {
  const { me } = useSession();
  if (!me) throw new Error("nobody is logged in");
  return me;
}

export function isAdmin(me: Me): boolean {
  return me.roles.includes("admin");
}
