import type { Named } from "../api/types.ts";
import { nameOf } from "../people/directory.ts";

/** Who is writing at this moment. It has its place also when nobody is, so that nothing moves. */
export function TypingLine({ people }: { people: readonly Named[] }) {
  const names = people.map((person) => nameOf(person));
  const words =
    names.length === 0
      ? ""
      : names.length < 3
        ? `${names.join(" and ")} ${names.length === 1 ? "is" : "are"} typing…`
        : "Several people are typing…";
  return (
    <p className="typing-line" role="status">
      {words && <span className="typing-dots" aria-hidden="true" />}
      {words}
    </p>
  );
}
