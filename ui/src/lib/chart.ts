import type { HistoryPoint, HistoryRange } from '../api/types';

/** Seconds that each range spans. */
export const SPANS: Record<HistoryRange, number> = {
  '6m': 360,
  '24h': 86_400,
  '30d': 30 * 86_400,
};

/** Columns as the chart wants them: seconds since 1970, hashrate, best share. */
export type Columns = [number[], (number | null)[], (number | null)[]];

/**
 * Turns history into columns. Where points are missing (the pool was down) an
 * empty one is put in, so that no line is drawn over what nobody measured.
 */
export function toColumns(points: readonly HistoryPoint[], stepSeconds: number): Columns {
  const at: number[] = [];
  const hashrate: (number | null)[] = [];
  const best: (number | null)[] = [];
  for (const point of points) {
    const t = Date.parse(point.at) / 1000;
    const previous = at.at(-1);
    if (Number.isNaN(t) || (previous !== undefined && t <= previous)) continue;
    if (previous !== undefined && t - previous > stepSeconds * 2.5) {
      at.push(previous + stepSeconds);
      hashrate.push(null);
      best.push(null);
    }
    at.push(t);
    hashrate.push(point.hashrate);
    best.push(point.best_share > 0 ? point.best_share : null);
  }
  return [at, hashrate, best];
}

/**
 * Keeps the largest value of each group of neighbours, so that at most `most`
 * are left: a year of dots would be a smear.
 */
export function thin(values: readonly (number | null)[], most: number): (number | null)[] {
  const group = Math.ceil(values.length / most);
  if (group <= 1) return [...values];
  const kept = new Array<number | null>(values.length).fill(null);
  for (let start = 0; start < values.length; start += group) {
    let top: number | undefined;
    for (let i = start; i < Math.min(start + group, values.length); i++) {
      const value = values[i] ?? 0;
      if (value > 0 && (top === undefined || value > (values[top] ?? 0))) top = i;
    }
    if (top !== undefined) kept[top] = values[top] ?? null;
  }
  return kept;
}

/** Where values stand alone, so that no line leads to them or away. */
export function isolated(values: readonly (number | null | undefined)[]): number[] {
  return values.flatMap((value, i) =>
    value != null && values[i - 1] == null && values[i + 1] == null ? [i] : [],
  );
}

/** Most marks that an axis gets before some are left out. */
const MOST_MARKS = 5;

/** The powers of ten in [min, max], thinned out evenly where they are many. */
export function powersOfTen(min: number, max: number): number[] {
  if (!(min > 0) || !(max >= min)) return [];
  const first = Math.ceil(Math.log10(min) - 1e-9);
  const last = Math.floor(Math.log10(max) + 1e-9);
  const step = Math.max(Math.ceil((last - first + 1) / MOST_MARKS), 1);
  const marks: number[] = [];
  for (let exponent = first; exponent <= last; exponent += step) marks.push(10 ** exponent);
  return marks;
}

/** What the chart shows, in a sentence for those who do not see it. */
export function summary(columns: Columns): { low: number; high: number; mean: number } | undefined {
  const rates = columns[1].filter((v): v is number => v !== null);
  if (rates.length === 0) return undefined;
  return {
    low: Math.min(...rates),
    high: Math.max(...rates),
    mean: rates.reduce((sum, v) => sum + v, 0) / rates.length,
  };
}
