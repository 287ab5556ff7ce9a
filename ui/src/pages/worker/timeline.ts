import type { AssignedDifficulty, WorkerShare } from '../../api/workers';

/** Columns as the chart wants them: seconds since 1970, then one column per series. */
export type ShareColumns = [
  at: number[],
  assigned: (number | null)[],
  accepted: (number | null)[],
  rejected: (number | null)[],
];

interface Point {
  at: number;
  column: 1 | 2 | 3;
  value: number;
}

/**
 * Puts the assigned difficulty and the shares on one time axis that ends at
 * `to` (ms). A share whose own difficulty is not known stands at the assigned
 * one: it is on the line and not lost.
 */
export function shareColumns(
  difficulties: readonly AssignedDifficulty[],
  shares: readonly WorkerShare[],
  from: number,
  to: number,
): ShareColumns {
  const points: Point[] = [];
  const inside = (ms: number) => ms >= from && ms <= to;
  let before: number | undefined;
  let last: number | undefined;
  for (const { at, difficulty } of newest(difficulties)) {
    const ms = Date.parse(at);
    if (!(ms <= to) || difficulty <= 0) continue;
    last = difficulty;
    if (ms < from) before = difficulty;
    else points.push({ at: ms, column: 1, value: difficulty });
  }
  if (before !== undefined) points.push({ at: from, column: 1, value: before });
  if (last !== undefined) points.push({ at: to, column: 1, value: last });
  for (const share of shares) {
    const ms = Date.parse(share.at);
    const value = share.share_difficulty > 0 ? share.share_difficulty : share.difficulty;
    if (!inside(ms) || !(value > 0)) continue;
    points.push({ at: ms, column: share.accepted ? 2 : 3, value });
  }
  points.sort((a, b) => a.at - b.at);

  const columns: ShareColumns = [[], [], [], []];
  let previous: number | undefined;
  for (const { at, column, value } of points) {
    if (at !== previous) {
      columns[0].push(at / 1000);
      for (const c of [1, 2, 3] as const) columns[c].push(null);
      previous = at;
    }
    const row = columns[0].length - 1;
    // Two shares in one millisecond: the better one is drawn.
    const drawn = columns[column][row] ?? 0;
    columns[column][row] = column === 1 ? value : Math.max(drawn, value);
  }
  return columns;
}

/**
 * Every connection has a difficulty of its own, and one line can follow one at
 * a time: the connection that began last.
 */
function newest(difficulties: readonly AssignedDifficulty[]): AssignedDifficulty[] {
  const began = new Map<string, number>();
  let latest = -1;
  return difficulties.filter(({ connection_id: id }) => {
    const place = began.get(id) ?? began.size;
    began.set(id, place);
    latest = Math.max(latest, place);
    return place === latest;
  });
}

/** Where the axis begins: at the first share, or a while ago where there is none (ms). */
export function beginning(shares: readonly WorkerShare[], span: number, to: number): number {
  const first = shares[0] ? Date.parse(shares[0].at) : NaN;
  const longest = to - span;
  return Number.isNaN(first) ? longest : Math.min(Math.max(first - 5_000, longest), to - 60_000);
}

/** The timeline in a sentence, for those who do not see it. */
export function shareText([, , accepted, rejected]: ShareColumns): string {
  const count = (values: (number | null)[]) => values.filter((v) => v !== null).length;
  return `${count(accepted)} accepted and ${count(rejected)} rejected shares`;
}
