import { type FormEvent, type KeyboardEvent, type ReactNode, useEffect, useEffectEvent, useRef, useState } from "react";
import { SendIcon } from "../ui/icons.tsx";

/** How often the others are told that somebody still types, in milliseconds. */
const RENEWAL = 2_500;

/** What a message may have, in characters. */
const LONGEST = 1_000;

interface Props {
  readonly placeholder: string;
  readonly say: (text: string) => void;
  readonly typing?: (isTyping: boolean) => void;
  /** Something can be sent although nothing is written. */
  readonly hasMore?: boolean;
  readonly children?: ReactNode;
}

/** Where a message is written. Enter sends it, Shift and Enter begins another line. */
export function Composer({ placeholder, say, typing, hasMore = false, children }: Props) {
  const [text, setText] = useState("");
  const told = useRef(0);
  const stop = useEffectEvent(() => {
    if (told.current === 0) return;
    told.current = 0;
    typing?.(false);
  });
  useEffect(() => () => stop(), []);

  function changed(value: string) {
    setText(value);
    if (value === "") return stop();
    if (!typing || Date.now() - told.current < RENEWAL) return;
    told.current = Date.now();
    typing(true);
  }
  function submit(event: FormEvent | KeyboardEvent) {
    event.preventDefault();
    if (text.trim() === "" && !hasMore) return;
    say(text.trim());
    setText("");
    // The message itself says that the typing is over.
    told.current = 0;
  }
  return (
    <form className="composer" onSubmit={submit}>
      {children}
      <label className="composer-text">
        <span className="visually-hidden">{placeholder}</span>
        <textarea
          rows={1}
          value={text}
          maxLength={LONGEST}
          placeholder={placeholder}
          onChange={(event) => changed(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) submit(event);
          }}
          onBlur={() => stop()}
        />
      </label>
      <button type="submit" className="send-button" aria-label="Send" disabled={text.trim() === "" && !hasMore}>
        <SendIcon />
      </button>
    </form>
  );
}
