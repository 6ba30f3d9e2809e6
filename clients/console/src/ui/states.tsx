import type { ReactNode } from "react";

/** Something is on its way. */
export function Waiting({ what }: { what: string }) {
  return (
    <div className="state" role="status">
      <span className="spinner" aria-hidden="true" />
      <p>Loading {what}…</p>
    </div>
  );
}

/** There is nothing here yet; what follows says what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="state">
      <p className="state-title">{title}</p>
      {children && <div className="state-text">{children}</div>}
    </div>
  );
}

/** Something could not be shown. */
export function Failed({ message, retry }: { message: string; retry?: () => void }) {
  return (
    <div className="state state-failed" role="alert">
      <p className="state-title">That didn't work</p>
      <p className="state-text">{message}</p>
      {retry && (
        <button type="button" className="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** A page of lines that stand for what comes, so that nothing moves when it does. */
export function Skeleton({ lines }: { lines: number }) {
  return (
    <div className="skeleton" aria-hidden="true">
      {Array.from({ length: lines }, (_, number) => `line-${number}`).map((key) => (
        <span key={key} />
      ))}
    </div>
  );
}
