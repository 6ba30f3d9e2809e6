import type { ReactNode } from "react";
import { Avatar } from "../people/avatar.tsx";
import { nameOf, usePeople } from "../people/directory.ts";
import { timeOf } from "../ui/when.ts";
import type { Line } from "./lines.ts";

interface Props {
  readonly line: Line;
  /** With its sender's name. */
  readonly isFirst: boolean;
  /** Above and below its text, and what can be done with it. */
  readonly above?: ReactNode;
  readonly below?: ReactNode;
  readonly actions?: ReactNode;
  /** In place of its text. */
  readonly children?: ReactNode;
}

/** One message. */
export function MessageRow({ line, isFirst, above, below, actions, children }: Props) {
  const name = nameOf(line.sender, usePeople());
  const waits = line.id === undefined && !line.failure;
  return (
    <article
      className={`message${isFirst ? " is-first" : ""}${waits ? " is-waiting" : ""}`}
      aria-label={`${name}: ${line.text}`}
    >
      <div className="message-side">
        {isFirst ? (
          <Avatar person={line.sender} decorative />
        ) : (
          <time dateTime={line.timestamp}>{timeOf(line.timestamp)}</time>
        )}
      </div>
      <div className="message-body">
        {isFirst && (
          <p className="message-head">
            <strong>{name}</strong>
            <time dateTime={line.timestamp}>{timeOf(line.timestamp)}</time>
          </p>
        )}
        {above}
        {children ??
          (line.deleted ? (
            <p className="message-deleted">This message was deleted</p>
          ) : (
            line.text !== "" && (
              <p className="message-text">
                {line.text}
                {line.edited && <span className="message-note"> (edited)</span>}
                {waits && <span className="message-note"> · sending…</span>}
              </p>
            )
          ))}
        {line.failure && (
          <p className="message-failure" role="alert">
            Not sent: {line.failure}
          </p>
        )}
        {below}
      </div>
      {actions}
    </article>
  );
}
