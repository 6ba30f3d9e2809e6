/** Figures as people read them. */

export function whole(value: number): string {
  return Math.round(value).toLocaleString();
}

export function decimal(value: number): string {
  return value.toLocaleString(undefined, { maximumFractionDigits: value < 10 ? 1 : 0 });
}

export function milliseconds(value: number): string {
  return value.toLocaleString(undefined, { maximumFractionDigits: value < 1 ? 2 : value < 10 ? 1 : 0 });
}

export function bytes(value: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let shown = value;
  let unit = 0;
  while (shown >= 1000 && unit < units.length - 1) {
    shown /= 1000;
    unit += 1;
  }
  return `${shown.toLocaleString(undefined, { maximumFractionDigits: shown < 10 && unit > 0 ? 1 : 0 })} ${units[unit]}`;
}

export function seconds(value: number): string {
  if (value < 60) return `${Math.round(value)} s`;
  if (value < 3600) return `${Math.round(value / 60)} min`;
  return `${(value / 3600).toFixed(1)} h`;
}
