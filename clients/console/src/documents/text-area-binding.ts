import * as Y from "yjs";

/** The one change that makes one text of another: what is taken out where, and what is put there. */
export interface Change {
  readonly at: number;
  readonly removed: number;
  readonly inserted: string;
}

/** Of repeated characters that were typed, those before the caret are meant. */
export function changeBetween(before: string, after: string, caret: number): Change {
  const rest = after.length - caret;
  let end = 0;
  const mostEnd = Math.min(before.length, after.length, rest);
  while (end < mostEnd && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  let start = 0;
  const mostStart = Math.min(before.length, after.length) - end;
  while (start < mostStart && before[start] === after[start]) start += 1;
  // Half of a character that takes two is none.
  if (start > 0 && isHigh(before, start - 1)) start -= 1;
  if (end > 0 && isLow(before, before.length - end)) end -= 1;
  return { at: start, removed: before.length - end - start, inserted: after.slice(start, after.length - end) };
}

function isHigh(text: string, index: number): boolean {
  return (text.charCodeAt(index) & 0xfc00) === 0xd800;
}

function isLow(text: string, index: number): boolean {
  return (text.charCodeAt(index) & 0xfc00) === 0xdc00;
}

/** What tells changes made here from those of others. */
export const HERE = "here";

/** Writes what was typed into the shared text. */
export function write(text: Y.Text, after: string, caret: number): void {
  const { at, removed, inserted } = changeBetween(text.toString(), after, caret);
  text.doc?.transact(() => {
    if (removed > 0) text.delete(at, removed);
    if (inserted !== "") text.insert(at, inserted);
  }, HERE);
}

/** A place in the text that stays where it is, whatever others write before it. */
export type Anchor = ReturnType<typeof Y.relativePositionToJSON>;

export function anchorAt(text: Y.Text, index: number): Anchor {
  // What is written exactly there comes after it.
  return Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, index, -1));
}

export function indexOf(text: Y.Text, anchor: Anchor): number | undefined {
  if (!text.doc || !anchor) return undefined;
  const position = Y.createRelativePositionFromJSON(anchor);
  const found = Y.createAbsolutePositionFromRelativePosition(position, text.doc);
  return found?.type === text ? found.index : undefined;
}
