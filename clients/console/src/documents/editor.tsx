import {
  type ChangeEvent,
  type KeyboardEvent,
  type SyntheticEvent,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { flushSync } from "react-dom";
import type { Transaction } from "yjs";
import { Avatars } from "../people/avatar.tsx";
import { same } from "../people/directory.ts";
import { useMe } from "../session/use-session.ts";
import { type Caret, Carets } from "./carets.tsx";
import { type Anchor, anchorAt, HERE, indexOf, write } from "./text-area-binding.ts";
import type { Place, SharedText } from "./use-shared-text.ts";

/** The text, and where in it the others are. */
export function Editor({ shared, name }: { shared: SharedText; name: string }) {
  const { text, provider, undo } = shared;
  const me = useMe();
  const area = useRef<HTMLTextAreaElement>(null);
  const [content, setContent] = useState(() => text.toString());
  const selected = useRef<{ readonly start: Anchor; readonly end: Anchor }>(undefined);
  const carets = useCarets(shared, content);

  useEffect(() => {
    const show = () => setContent(text.toString());
    // What others write is shown at once: the selection must not move between being remembered and that.
    const changed = (_: unknown, { origin }: Transaction) => (origin === HERE ? show() : flushSync(show));
    text.observe(changed);
    show();
    return () => text.unobserve(changed);
  }, [text]);

  // The browser tells of a selection only after it has moved: what is about to change is asked itself where it is.
  useEffect(() => {
    const remember = () => {
      const shown = area.current;
      if (shown && document.activeElement === shown && shown.value === text.toString()) {
        selected.current = selectionIn(text, shown);
      }
    };
    text.doc?.on("beforeTransaction", remember);
    return () => text.doc?.off("beforeTransaction", remember);
  }, [text]);

  // What others write moves the selection with the words that it is at.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the browser has just put in the new text
  useLayoutEffect(() => {
    const shown = area.current;
    if (!shown || !selected.current || document.activeElement !== shown) return;
    const start = indexOf(text, selected.current.start);
    const end = indexOf(text, selected.current.end);
    const isThere = shown.selectionStart === start && shown.selectionEnd === end;
    if (start !== undefined && end !== undefined && !isThere) shown.setSelectionRange(start, end);
  }, [content, text]);

  function tell(shown: HTMLTextAreaElement) {
    const { start, end } = selectionIn(text, shown);
    selected.current = { start, end };
    provider.awareness.setLocalStateField("place", { user: me, anchor: start, head: end } satisfies Place);
  }
  useEffect(() => {
    provider.awareness.setLocalStateField("place", { user: me } satisfies Place);
  }, [provider, me]);

  function typed({ target }: ChangeEvent<HTMLTextAreaElement>) {
    write(text, target.value, target.selectionEnd);
    tell(target);
  }
  function pressed(event: KeyboardEvent) {
    const isCommand = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if (!isCommand) return;
    event.preventDefault();
    if (event.shiftKey) undo.redo();
    else undo.undo();
  }
  return (
    <div className="editor">
      <p className="editor-people">
        <Avatars people={carets.map(({ user }) => user)} label="Writing with you" />
        <span className="quiet">{wordsOf(carets.length)}</span>
      </p>
      <div className="editor-paper">
        <Carets content={content} carets={carets} />
        <textarea
          ref={area}
          aria-label={`Text ${name}`}
          spellCheck={false}
          placeholder="Write something. Everyone here sees it as you type."
          value={content}
          onChange={typed}
          onSelect={(event: SyntheticEvent<HTMLTextAreaElement>) => tell(event.currentTarget)}
          onKeyDown={pressed}
        />
      </div>
    </div>
  );
}

function selectionIn(text: SharedText["text"], shown: HTMLTextAreaElement) {
  return { start: anchorAt(text, shown.selectionStart), end: anchorAt(text, shown.selectionEnd) };
}

function wordsOf(others: number): string {
  if (others === 0) return "Nobody else has this open";
  return others === 1 ? "One more person has this open" : `${others} more people have this open`;
}

/** Where the others are, each person once. */
function useCarets({ text, provider: { awareness } }: SharedText, content: string): readonly Caret[] {
  const me = useMe();
  const [places, setPlaces] = useState<readonly Place[]>([]);
  useEffect(() => {
    const changed = () => {
      const others = [...awareness.getStates()].filter(([client]) => client !== awareness.clientID);
      setPlaces(others.flatMap(([, state]) => (state.place ? [state.place as Place] : [])));
    };
    awareness.on("change", changed);
    changed();
    return () => awareness.off("change", changed);
  }, [awareness]);
  const others = places.filter(({ user }) => !same(user.id, me.id));
  const byUser = new Map(others.map((place) => [String(place.user.id), place]));
  return [...byUser.values()].map(({ user, head }) => {
    const index = head ? indexOf(text, head) : undefined;
    return { user, ...(index !== undefined && { at: Math.min(index, content.length) }) };
  });
}
