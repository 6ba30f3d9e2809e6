import { type Named, PRIORITIES } from "../api/types.ts";
import { nameOf, same, usePeople } from "../people/directory.ts";
import { useProject } from "../project/project.tsx";

export function StatusOptions() {
  const { board } = useProject();
  return board.statuses.map((status) => (
    <option key={status.id} value={status.id}>
      {status.name}
    </option>
  ));
}

export function PriorityOptions() {
  return PRIORITIES.map((priority) => (
    <option key={priority} value={priority}>
      {priority.slice(0, 1).toUpperCase() + priority.slice(1)}
    </option>
  ));
}

/** The project's members, and whoever has the ticket now. */
export function AssigneeOptions({ current }: { current?: Named | null }) {
  const { members } = useProject();
  const directory = usePeople();
  const missing = current && !members.some(({ id }) => same(id, current.id)) ? [current] : [];
  return (
    <>
      <option value="">Nobody</option>
      {[...members, ...missing].map((person) => (
        <option key={String(person.id)} value={String(person.id)}>
          {nameOf(person, directory)}
        </option>
      ))}
    </>
  );
}

/** Each once, without the space around them. */
export function labelsOf(text: string): string[] {
  const labels = text.split(",").map((label) => label.trim());
  return [...new Set(labels.filter((label) => label !== ""))];
}
