import { useEffect, useRef, useState } from "react";
import { BellIcon } from "../ui/icons.tsx";
import { Empty, Skeleton } from "../ui/states.tsx";
import { ago, useNow } from "../ui/when.ts";
import { type Inbox, targetOf } from "./use-inbox.ts";

/** The bell: how much is unread, and what there is. */
export function BellMenu({ inbox }: { inbox: Inbox }) {
  const [open, setOpen] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent) => {
      if (!frame.current?.contains(event.target as Node)) setOpen(false);
    };
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      button.current?.focus();
    };
    const elsewhere = () => setOpen(false);
    addEventListener("pointerdown", outside);
    addEventListener("keydown", pressed);
    addEventListener("hashchange", elsewhere);
    return () => {
      removeEventListener("hashchange", elsewhere);
      removeEventListener("pointerdown", outside);
      removeEventListener("keydown", pressed);
    };
  }, [open]);
  const label = inbox.unread === 0 ? "Notifications" : `Notifications, ${inbox.unread} unread`;
  return (
    <div className="bell-menu" ref={frame}>
      <button
        ref={button}
        type="button"
        className="icon-button"
        aria-label={label}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <BellIcon size={20} />
        {inbox.unread > 0 && (
          <span key={inbox.arrivals} className="badge bell-badge" data-testid="unread">
            {inbox.unread > 99 ? "99+" : inbox.unread}
          </span>
        )}
      </button>
      {open && <Panel inbox={inbox} close={() => setOpen(false)} />}
    </div>
  );
}

function Panel({ inbox, close }: { inbox: Inbox; close: () => void }) {
  const now = useNow();
  return (
    <section className="popover" aria-label="Notifications">
      <header className="popover-head">
        <h2>Notifications</h2>
        <button type="button" className="link-button" onClick={inbox.readAll} disabled={inbox.unread === 0}>
          Mark all read
        </button>
      </header>
      {inbox.items === undefined && <Skeleton lines={3} />}
      {inbox.items?.length === 0 && <Empty title="Nothing yet">What is assigned to you shows up here.</Empty>}
      <ul className="notices">
        {inbox.items?.map((item) => {
          const href = targetOf(item);
          const body = (
            <>
              <span className="notice-title">
                {item.title}
                <time dateTime={item.timestamp}>{ago(item.timestamp, now)}</time>
              </span>
              <span className="notice-text">{item.message}</span>
              {!item.is_read && <span className="visually-hidden">unread</span>}
            </>
          );
          const done = () => {
            inbox.read(item);
            if (href) close();
          };
          return (
            <li key={item.id} className={item.is_read ? "notice-row" : "notice-row is-unread"}>
              {href ? (
                <a href={href} onClick={done}>
                  {body}
                </a>
              ) : (
                <button type="button" onClick={done}>
                  {body}
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
