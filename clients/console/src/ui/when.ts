import { useEffect, useState } from "react";

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export function timeOf(timestamp: string): string {
  return TIME.format(new Date(timestamp));
}

/** A day as a heading between messages. */
export function dayOf(timestamp: string): string {
  return DAY.format(new Date(timestamp));
}

/** A date without a time, as `2026-12-01`. */
export function shortDay(date: string): string {
  return SHORT_DAY.format(new Date(date.length === 10 ? `${date}T12:00:00` : date));
}

/** How long ago something was, roughly. */
export function ago(timestamp: string, now: number): string {
  const passed = now - new Date(timestamp).getTime();
  if (passed < MINUTE) return "now";
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min`;
  if (passed < 24 * HOUR) return `${Math.floor(passed / HOUR)} h`;
  return shortDay(timestamp);
}

/** The time, as often as it matters to `ago`. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), MINUTE / 2);
    return () => clearInterval(timer);
  }, []);
  return now;
}
