import type { Notification } from "../index.js";

/** What is shown for a moment. */
export interface Toast {
  title: string;
  message: string;
  priority: "low" | "normal" | "high";
  notification: Notification;
}

/** Shows a toast, as an application does that has toasts of its own. */
export type ShowToast = (toast: Toast) => void;

/** How long a toast stays, in milliseconds; urgent ones stay until they are closed. */
const SHOWN = 6000;

/**
 * The default: a list at the edge of the page, which screen readers read out, politely or at once by priority. It takes colours and
 * font from the page; `.carillon-toasts` and `.carillon-toast` are there for other looks.
 */
export const showToast: ShowToast = ({ title, message, priority }) => {
  if (typeof document === "undefined") return;
  const urgent = priority === "high";
  const toast = document.createElement("div");
  toast.className = `carillon-toast carillon-toast-${priority}`;
  toast.style.cssText = `padding:.75em 1em;border-radius:.5em;background:Canvas;color:CanvasText;border:1px solid ${urgent ? "#c0392b" : "GrayText"};box-shadow:0 .25em 1em #0004;display:flex;gap:1em;align-items:start;pointer-events:auto`;
  const text = toast.appendChild(document.createElement("div"));
  text.appendChild(document.createElement("strong")).textContent = title;
  text.appendChild(document.createElement("div")).textContent = message;
  text.style.flex = "1";
  const close = toast.appendChild(document.createElement("button"));
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", `Close: ${title}`);
  close.onclick = () => toast.remove();
  region(urgent).appendChild(toast);
  if (!urgent) setTimeout(() => toast.remove(), SHOWN);
};

/** Where toasts are; it has to be there before they come, or they are not read out. */
function region(urgent: boolean): HTMLElement {
  const id = urgent ? "carillon-alerts" : "carillon-toasts";
  const there = document.getElementById(id);
  if (there) return there;
  const made = document.createElement("div");
  made.id = id;
  made.className = "carillon-toasts";
  made.setAttribute("role", urgent ? "alert" : "status");
  made.setAttribute("aria-live", urgent ? "assertive" : "polite");
  made.style.cssText = `position:fixed;${urgent ? "top" : "bottom"}:1em;right:1em;display:grid;gap:.5em;max-width:min(24em,calc(100vw - 2em));z-index:2147483000;pointer-events:none`;
  return document.body.appendChild(made);
}
