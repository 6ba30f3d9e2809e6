import type { ReactNode } from "react";
import type { Project } from "../api/types.ts";
import { hashOf, type Route } from "../routing/route.ts";
import { isAdmin, useMe } from "../session/use-session.ts";
import { Bell } from "../ui/bell.tsx";
import { BoardIcon, ChatIcon, CounterIcon, DocumentIcon, SystemIcon } from "../ui/icons.tsx";

interface Place {
  readonly label: string;
  readonly to: Route;
  readonly icon: ReactNode;
  readonly pages: readonly Route["page"][];
}

/** The pages: a column on wide screens, a bar at the bottom of narrow ones. */
export function Navigation({ route, project }: { route: Route; project: Project | undefined }) {
  const admin = isAdmin(useMe());
  const board: Route = project ? { page: "board", project: String(project.id) } : { page: "home" };
  const places: Place[] = [
    { label: project ? "Board" : "Projects", to: board, icon: <BoardIcon />, pages: ["board", "home"] },
    { label: "Chat", to: { page: "chat" }, icon: <ChatIcon />, pages: ["chat", "room", "conversation"] },
    { label: "Text", to: { page: "document", name: "welcome" }, icon: <DocumentIcon />, pages: ["document"] },
    { label: "Counter", to: { page: "counter" }, icon: <CounterIcon />, pages: ["counter"] },
  ];
  if (admin) places.push({ label: "System", to: { page: "system" }, icon: <SystemIcon />, pages: ["system"] });
  return (
    <nav className="navigation" aria-label="Pages">
      <a className="brand" href={hashOf({ page: "home" })} aria-label="Carillon: all projects">
        <Bell />
        <span>Carillon</span>
      </a>
      <ul>
        {places.map(({ label, to, icon, pages }) => (
          <li key={label}>
            <a
              className="nav-link"
              href={hashOf(to)}
              {...(pages.includes(route.page) && { "aria-current": "page" as const })}
            >
              {icon}
              <span>{label}</span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
