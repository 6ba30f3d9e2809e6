import { Fragment } from "react";
import { Dialog } from "../ui/dialog.tsx";

const KEYS: readonly (readonly [string, string])[] = [
  ["N", "New ticket"],
  ["/", "Search"],
  ["↑ ↓ ← →", "Go from card to card"],
  ["Enter", "Open the ticket"],
  ["Shift ← / Shift →", "Move the ticket to the next column"],
  ["Esc", "Close what is open"],
  ["?", "Show this"],
];

export function KeyboardHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className="keys">
        {KEYS.map(([key, does]) => (
          <Fragment key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </Fragment>
        ))}
      </dl>
    </Dialog>
  );
}
