import { type PointerEvent, useId, useState } from "react";

export interface Series {
  readonly label: string;
  readonly values: readonly number[];
  /** One of the stylesheet's colours. */
  readonly tone: 1 | 2 | 3;
}

interface Props {
  readonly title: string;
  readonly unit: string;
  /** When each value was taken, in milliseconds. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
}

const WIDTH = 320;
const HEIGHT = 96;

/** What is shown, in milliseconds: at first a minute, until there is more. */
const LEAST = 60_000;
const MOST = 5 * 60_000;

/** Some figures over the last minutes. Pointing at it tells what was then. */
export function Chart({ title, unit, times, series, format }: Props) {
  const heading = useId();
  const [pointed, setPointed] = useState<number>();
  const last = times.length - 1;
  const index = pointed === undefined ? last : Math.min(pointed, last);
  const end = times[last] ?? 0;
  const span = Math.min(MOST, Math.max(LEAST, end - (times[0] ?? end)));
  const x = (time: number) => WIDTH - ((end - time) / span) * WIDTH;
  const top = ceiling(Math.max(...series.flatMap(({ values }) => values), 0));
  const y = (value: number) => HEIGHT - 1 - (value / top) * (HEIGHT - 6);

  function point(event: PointerEvent<SVGSVGElement>) {
    const box = event.currentTarget.getBoundingClientRect();
    const time = end - span * (1 - (event.clientX - box.left) / box.width);
    const distance = (place: number) => Math.abs((times[place] ?? 0) - time);
    setPointed(times.reduce((best, _, place) => (distance(place) < distance(best) ? place : best), 0));
  }
  const summary = series.map(({ label, values }) => `${label} ${format(values[last] ?? 0)} ${unit}`).join(", ");
  return (
    <figure className="chart" aria-labelledby={heading}>
      <figcaption>
        <h2 id={heading}>{title}</h2>
        <ul className="chart-legend">
          {series.map(({ label, values, tone }) => (
            <li key={label} className={`tone-${tone}`}>
              {series.length > 1 && <span className="chart-key" />}
              {series.length > 1 && <span className="chart-label">{label}</span>}
              <strong>{format(values[index] ?? 0)}</strong>
              {unit && <span className="chart-unit">{unit}</span>}
            </li>
          ))}
        </ul>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title} now: ${summary}`}
        onPointerMove={point}
        onPointerLeave={() => setPointed(undefined)}
      >
        {[0.25, 0.5, 0.75].map((part) => (
          <line key={part} className="chart-grid" x1="0" x2={WIDTH} y1={HEIGHT * part} y2={HEIGHT * part} />
        ))}
        {series.map(({ label, values, tone }) => {
          const points = values.map((value, place) => `${x(times[place] ?? 0).toFixed(1)},${y(value).toFixed(1)}`);
          const first = x(times[0] ?? 0).toFixed(1);
          return (
            <g key={label} className={`tone-${tone}`}>
              {series.length === 1 && points.length > 1 && (
                <polygon className="chart-area" points={`${first},${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`} />
              )}
              <polyline className="chart-line" points={points.join(" ")} />
            </g>
          );
        })}
        {pointed !== undefined && times[index] !== undefined && (
          <line className="chart-pointer" x1={x(times[index])} x2={x(times[index])} y1="0" y2={HEIGHT} />
        )}
      </svg>
      <p className="chart-axis" aria-hidden="true">
        <span>−{Math.round(span / 60_000)} min</span>
        <span>
          up to {format(top)} {unit}
        </span>
        <span>now</span>
      </p>
    </figure>
  );
}

/** A round number at or above this one. */
function ceiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((step) => step * power >= value) ?? 10;
  return step * power;
}
