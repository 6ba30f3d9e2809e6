import type { Named } from "../api/types.ts";
import { nameOf, usePeople } from "./directory.ts";

/** Colours on which white text can be read. */
const HUES = ["#9a3f38", "#8a5a00", "#3d6b35", "#1f6a72", "#31598f", "#64489a", "#8c3c75", "#5d5a52"];

export function colourOf(id: unknown): string {
  let sum = 0;
  for (const character of String(id)) sum = (sum * 31 + character.charCodeAt(0)) >>> 0;
  return HUES[sum % HUES.length] ?? "#5d5a52";
}

interface Props {
  readonly person: Named;
  readonly size?: "small" | "medium" | "large";
  /** Shows whether somebody is here. */
  readonly online?: boolean;
  /** For what the name next to it says already. */
  readonly decorative?: boolean;
}

/** A person as a coloured disc with an initial. */
export function Avatar({ person, size = "medium", online, decorative = false }: Props) {
  const name = nameOf(person, usePeople());
  const label = online === undefined ? name : `${name}, ${online ? "online" : "offline"}`;
  return (
    <span
      className={`avatar avatar-${size}`}
      style={{ backgroundColor: colourOf(person.id) }}
      title={decorative ? undefined : label}
      {...(decorative ? { "aria-hidden": true } : { role: "img", "aria-label": label })}
    >
      {name.slice(0, 1).toUpperCase()}
      {online !== undefined && <span className={online ? "avatar-dot is-online" : "avatar-dot"} />}
    </span>
  );
}

/** Several people in a row, overlapping; those for whom there is no room are counted. */
export function Avatars({
  people,
  most = 5,
  size = "small",
  label,
}: {
  people: readonly Named[];
  most?: number;
  size?: "small" | "medium";
  label: string;
}) {
  if (people.length === 0) return null;
  return (
    <ul className="avatars" aria-label={label}>
      {people.slice(0, most).map((person) => (
        <li key={String(person.id)}>
          <Avatar person={person} size={size} />
        </li>
      ))}
      {people.length > most && <li className="avatars-more">+{people.length - most}</li>}
    </ul>
  );
}
