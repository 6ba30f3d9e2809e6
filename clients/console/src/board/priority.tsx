import { PRIORITIES, type Priority } from "../api/types.ts";

/** As many bars as it is important. */
export function PriorityMark({ priority }: { priority: Priority }) {
  const level = PRIORITIES.indexOf(priority) + 1;
  return (
    <span className={`priority priority-${priority}`} title={`Priority: ${priority}`}>
      <svg width="14" height="12" viewBox="0 0 14 12" aria-hidden="true">
        {PRIORITIES.map((name, index) => (
          <rect
            key={name}
            x={index * 3.6}
            y={9 - index * 3}
            width="2.4"
            height={3 + index * 3}
            rx="0.8"
            className={index < level ? "is-on" : "is-off"}
          />
        ))}
      </svg>
      <span className="visually-hidden">Priority {priority}</span>
    </span>
  );
}
