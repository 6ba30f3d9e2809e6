import { hashOf } from "../routing/route.ts";
import { Empty, Failed, Skeleton } from "../ui/states.tsx";
import type { Projects } from "./use-projects.ts";

/** Pick one. */
export function ProjectsPage({ projects: { projects, failure, reload } }: { projects: Projects }) {
  return (
    <div className="narrow-page">
      <h2 className="page-lead">Pick a project</h2>
      {failure && <Failed message={failure} retry={reload} />}
      {!projects && !failure && <Skeleton lines={3} />}
      {projects?.length === 0 && <Empty title="You are in no project yet">An admin can add you to one.</Empty>}
      <ul className="project-list">
        {projects?.map((project) => (
          <li key={String(project.id)}>
            <a className="project-card" href={hashOf({ page: "board", project: String(project.id) })}>
              <span className="project-key">{project.key}</span>
              <span className="project-name">{project.name}</span>
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}
