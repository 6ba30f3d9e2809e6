import { Fragment, type ReactNode } from "react";
import type { Named } from "../api/types.ts";
import { colourOf } from "../people/avatar.tsx";
import { nameOf } from "../people/directory.ts";

/** Where somebody is in the text; nowhere if they have not touched it yet. */
export interface Caret {
  readonly user: Named;
  readonly at?: number;
}

/** The same text once more, unseen, behind the one that is written in: it knows where on the page a place is. */
export function Carets({ content, carets }: { content: string; carets: readonly Caret[] }) {
  const pieces: ReactNode[] = [];
  let last = 0;
  for (const { user, at } of carets.toSorted((one, other) => (one.at ?? 0) - (other.at ?? 0))) {
    if (at === undefined) continue;
    const colour = colourOf(user.id);
    pieces.push(
      <Fragment key={String(user.id)}>
        {content.slice(last, at)}
        <span className="caret" style={{ borderColor: colour }}>
          <span className="caret-name" style={{ backgroundColor: colour }}>
            {nameOf(user)}
          </span>
        </span>
      </Fragment>,
    );
    last = at;
  }
  return (
    <div className="editor-mirror" aria-hidden="true">
      {pieces}
      {content.slice(last)}
      {"\n"}
    </div>
  );
}
