import { useEffect, useState, useSyncExternalStore } from "react";
import { CloseIcon } from "../ui/icons.tsx";

export interface Toast {
  readonly title: string;
  readonly message?: string;
  readonly tone?: "news" | "failure";
  /** Where a click leads. */
  readonly href?: string;
}

interface Shown extends Toast {
  readonly number: number;
}

const LASTS = 7_000;
const MOST = 4;

let shown: readonly Shown[] = [];
let next = 0;
const listeners = new Set<() => void>();

/** Shows something for a few seconds, wherever the reader is. */
export function toast(news: Toast): void {
  next += 1;
  change([...shown, { ...news, number: next }].slice(-MOST));
}

function change(toasts: readonly Shown[]): void {
  shown = toasts;
  for (const listener of listeners) listener();
}

function dismiss(number: number): void {
  change(shown.filter((toast) => toast.number !== number));
}

export function Toasts() {
  const toasts = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => shown,
  );
  return (
    <section className="toasts" aria-label="News" aria-live="polite">
      {toasts.map((news) => (
        <OneToast key={news.number} news={news} />
      ))}
    </section>
  );
}

/** It goes by itself, but not while somebody points at it. */
function OneToast({ news }: { news: Shown }) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => dismiss(news.number), LASTS);
    return () => clearTimeout(timer);
  }, [held, news.number]);
  const body = (
    <>
      <strong>{news.title}</strong>
      {news.message && <span>{news.message}</span>}
    </>
  );
  return (
    <div
      className={`toast toast-${news.tone ?? "news"}`}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
    >
      {news.href ? (
        <a className="toast-body" href={news.href} onClick={() => dismiss(news.number)}>
          {body}
        </a>
      ) : (
        <div className="toast-body">{body}</div>
      )}
      <button type="button" className="icon-button" aria-label="Dismiss" onClick={() => dismiss(news.number)}>
        <CloseIcon size={16} />
      </button>
    </div>
  );
}
