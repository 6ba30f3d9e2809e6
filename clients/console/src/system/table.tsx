import type { ReactNode } from "react";

interface Props {
  /** The id of its heading. */
  readonly labelledBy: string;
  /** Those of numbers begin with `#`. */
  readonly columns: readonly string[];
  readonly children: ReactNode;
}

/** A table that scrolls by itself where the page is too narrow for it. */
export function Table({ labelledBy, columns, children }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    <section className="table-frame" tabIndex={0} aria-labelledby={labelledBy}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col" className={column.startsWith("#") ? "number" : undefined}>
                {column.replace("#", "")}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
