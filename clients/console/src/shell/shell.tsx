import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { BoardPage } from "../board/board-page.tsx";
import { ChatPage } from "../chat/chat-page.tsx";
import { CounterPage } from "../counter/counter-page.tsx";
import { Toasts } from "../notifications/toasts.tsx";
import { useInbox } from "../notifications/use-inbox.ts";
import { useAcquaintances } from "../people/acquaintances.ts";
import { meet } from "../people/directory.ts";
import { ProjectProvider } from "../project/project.tsx";
import { ProjectsPage } from "../project/projects-page.tsx";
import { type Projects, useProjects } from "../project/use-projects.ts";
import { type Route, useRoute } from "../routing/route.ts";
import { isAdmin, useMe } from "../session/use-session.ts";
import { Empty, Waiting } from "../ui/states.tsx";
import { Announcer } from "./announcer.tsx";
import { Banner } from "./connection.tsx";
import { Navigation } from "./navigation.tsx";
import { TopBar } from "./top-bar.tsx";

const DocumentPage = lazy(() => import("../documents/document-page.tsx"));
const SystemPage = lazy(() => import("../system/system-page.tsx"));

/** Everything around the page that is shown, which stays when the page changes. */
export function Shell() {
  const me = useMe();
  const route = useRoute();
  const projects = useProjects();
  const inbox = useInbox();
  const picked = usePicked(route);
  const project = projects.projects?.find(({ id }) => String(id) === picked);
  useEffect(() => meet(me), [me]);
  useAcquaintances();
  const page = (
    <div className="shell">
      <button type="button" className="skip-link" onClick={skip}>
        Skip to content
      </button>
      <Navigation route={route} project={project} />
      <div className="shell-main">
        <TopBar route={route} inbox={inbox} project={project} />
        <Banner />
        <main id="main" tabIndex={-1} className="page">
          <Suspense fallback={<Waiting what="the page" />}>
            <Page route={route} projects={projects} arrivals={inbox.arrivals} />
          </Suspense>
        </main>
      </div>
      <Toasts />
      <Announcer />
    </div>
  );
  return project ? (
    <ProjectProvider key={String(project.id)} project={project}>
      {page}
    </ProjectProvider>
  ) : (
    page
  );
}

/** Without an address: that is what says which page is shown. */
function skip() {
  document.getElementById("main")?.focus();
}

/** The project that was looked at last stays picked on pages that have none. */
function usePicked(route: Route): string | undefined {
  const named = route.page === "board" ? route.project : undefined;
  const [picked, setPicked] = useState(named);
  if (named !== undefined && named !== picked) setPicked(named);
  return named ?? picked;
}

function Page({ route, projects, arrivals }: { route: Route; projects: Projects; arrivals: number }): ReactNode {
  const admin = isAdmin(useMe());
  switch (route.page) {
    case "board": {
      if (!projects.projects) return <Waiting what="the project" />;
      const known = projects.projects.some(({ id }) => String(id) === route.project);
      if (!known) return <Empty title="There is no such project">Or you are not a member of it.</Empty>;
      return <BoardPage ticket={route.ticket} />;
    }
    case "chat":
      return <ChatPage arrivals={arrivals} />;
    case "room":
      return <ChatPage room={route.room} arrivals={arrivals} />;
    case "conversation":
      return <ChatPage conversation={route.conversation} arrivals={arrivals} />;
    case "document":
      return <DocumentPage key={route.name} name={route.name} />;
    case "counter":
      return <CounterPage />;
    case "system":
      return admin ? <SystemPage /> : <Empty title="For admins">Only they see how the system does.</Empty>;
    default:
      return <ProjectsPage projects={projects} />;
  }
}
