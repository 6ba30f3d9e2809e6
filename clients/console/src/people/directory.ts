import { useSyncExternalStore } from "react";
import type { Id, Named } from "../api/types.ts";

/** Everyone whom this page has heard of, by id. */
let people: ReadonlyMap<string, Named> = new Map();
const listeners = new Set<() => void>();

/** Takes note of people: of whom a name is known now, it stays known. */
export function meet(...met: readonly (Named | null | undefined)[]): void {
  const news = met.filter((person) => person?.username && !isKnown(person)) as Named[];
  if (news.length === 0) return;
  const next = new Map(people);
  for (const { id, username, first_name, last_name } of news) {
    next.set(String(id), { id, username, first_name, last_name });
  }
  people = next;
  for (const listener of listeners) listener();
}

function isKnown(person: Named): boolean {
  const known = people.get(String(person.id));
  return known?.username === person.username && known.first_name === person.first_name;
}

export function usePeople(): ReadonlyMap<string, Named> {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    () => people,
  );
}

/** What a person is called; somebody who has no name here may have one in the directory. */
export function nameOf(person: Named, directory: ReadonlyMap<string, Named> = people): string {
  const known = person.username ? person : (directory.get(String(person.id)) ?? person);
  return known.first_name || known.username || `User ${known.id}`;
}

export function same(one: Id | undefined, other: Id | undefined): boolean {
  return one !== undefined && other !== undefined && String(one) === String(other);
}
