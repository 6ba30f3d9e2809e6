import { useEffect } from "react";
import type { Project } from "../api/types.ts";
import { BellMenu } from "../notifications/bell-menu.tsx";
import type { Inbox } from "../notifications/use-inbox.ts";
import { Avatar, Avatars } from "../people/avatar.tsx";
import { nameOf } from "../people/directory.ts";
import { useOpenProject } from "../project/project.tsx";
import { hashOf, type Route } from "../routing/route.ts";
import { session } from "../session/session.ts";
import { useMe } from "../session/use-session.ts";
import { LeaveIcon, MoonIcon, SunIcon } from "../ui/icons.tsx";
import { ConnectionPill } from "./connection.tsx";
import { useTheme } from "./theme.ts";

const TITLES: Record<Route["page"], string> = {
  home: "Projects",
  board: "Board",
  chat: "Chat",
  room: "Chat",
  conversation: "Chat",
  document: "Shared text",
  counter: "Counter",
  system: "System",
};

interface Props {
  readonly route: Route;
  readonly inbox: Inbox;
  readonly project: Project | undefined;
}

export function TopBar({ route, inbox, project }: Props) {
  const me = useMe();
  const open = useOpenProject();
  const { theme, toggle } = useTheme();
  const title = route.page === "board" && project ? project.name : TITLES[route.page];
  useEffect(() => {
    document.title = `${inbox.unread > 0 ? `(${inbox.unread}) ` : ""}${title} · Carillon`;
  }, [title, inbox.unread]);
  const next = theme === "dark" ? "light" : "dark";
  return (
    <header className="top-bar">
      <h1>
        {route.page === "board" && project && <span className="project-key">{project.key}</span>}
        {title}
        {route.page === "board" && (
          <a className="change-project" href={hashOf({ page: "home" })}>
            Change<span className="visually-hidden"> project</span>
          </a>
        )}
      </h1>
      <div className="top-bar-end">
        {open && <Avatars people={open.presence.present} label="Who is here" />}
        <ConnectionPill />
        <BellMenu inbox={inbox} />
        <button type="button" className="icon-button" onClick={toggle} aria-label={`Switch to ${next} mode`}>
          {theme === "dark" ? <SunIcon size={20} /> : <MoonIcon size={20} />}
        </button>
        <span className="who">
          <Avatar person={me} decorative />
          <span className="who-name">{nameOf(me)}</span>
        </span>
        <button type="button" className="icon-button" onClick={() => void session.logOut()} aria-label="Log out">
          <LeaveIcon size={20} />
        </button>
      </div>
    </header>
  );
}
