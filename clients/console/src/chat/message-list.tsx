import { type ReactNode, useLayoutEffect, useRef } from "react";
import { dayOf } from "../ui/when.ts";
import type { Line } from "./lines.ts";

interface Props {
  readonly lines: readonly Line[];
  readonly label: string;
  /** How one is shown; `isFirst`: the one before is somebody else's, or long ago. */
  readonly children: (line: Line, isFirst: boolean) => ReactNode;
}

/** Messages of one person belong together that follow each other within so many milliseconds. */
const TOGETHER = 5 * 60_000;

/** How far from its end a list may be and still follow what comes, in pixels. */
const NEAR = 120;

/** What was said, the latest at the bottom, where the list stays unless somebody reads further up. */
export function MessageList({ lines, label, children }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: with every line there is more to show
  useLayoutEffect(() => {
    const shown = list.current;
    if (shown && follows.current) shown.scrollTop = shown.scrollHeight;
  }, [lines]);
  return (
    <div
      ref={list}
      className="messages"
      role="log"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        follows.current = scrollHeight - scrollTop - clientHeight < NEAR;
      }}
    >
      <div className="messages-inside">
        {lines.map((line, index) => {
          const before = lines[index - 1];
          const isNewDay = !before || dayOf(before.timestamp) !== dayOf(line.timestamp);
          return (
            <div key={line.key}>
              {isNewDay && <p className="day">{dayOf(line.timestamp)}</p>}
              {children(line, isNewDay || !areTogether(before, line))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function areTogether(one: Line, other: Line): boolean {
  const between = new Date(other.timestamp).getTime() - new Date(one.timestamp).getTime();
  return String(one.sender.id) === String(other.sender.id) && between < TOGETHER && other.replyTo === undefined;
}
