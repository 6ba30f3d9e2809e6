import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { request } from "../api/request.ts";
import type { Named, Project } from "../api/types.ts";
import { meet } from "../people/directory.ts";
import { type Presence, usePresence } from "./use-presence.ts";
import { type Board, useTickets } from "./use-tickets.ts";

interface OpenProject {
  readonly project: Project;
  readonly board: Board;
  readonly presence: Presence;
  /** Who can be given a ticket. */
  readonly members: readonly Named[];
}

const Context = createContext<OpenProject | undefined>(undefined);

/** The project that was picked: its tickets and who is there, kept current wherever in the console its user is. */
export function ProjectProvider({ project, children }: { project: Project; children: ReactNode }) {
  const board = useTickets(project.id);
  const presence = usePresence(project.id);
  const [members, setMembers] = useState<readonly Named[]>([]);
  useEffect(() => {
    console.log(`🔌 [MainLayout] Connecting to WebSocket channels for project: ${project.id}`);
    const found = request<{ members: Named[] }>("GET", `/api/projects/${encodeURIComponent(project.id)}/members/`);
    // Without the list there are still those who turn up.
    void found.then(({ members }) => {
      meet(...members);
      setMembers(members);
    }, console.warn);
  }, [project.id]);
  const open = useMemo(() => ({ project, board, presence, members }), [project, board, presence, members]);
  return <Context value={open}>{children}</Context>;
}

export function useOpenProject(): OpenProject | undefined {
  return useContext(Context);
}

/** For what is shown inside of a project only. */
export function useProject(): OpenProject {
  const open = useContext(Context);
  if (!open) throw new Error("no project is open");
  return open;
}
