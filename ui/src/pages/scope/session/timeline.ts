import type { AuditedShare, DifficultyTimeline, Job } from '../../../scope/types';

/** What the audit has of a session, for one time axis. */
export interface TimelineSource {
  difficulty: DifficultyTimeline['changes'];
  shares: readonly AuditedShare[];
  jobs: readonly Job[];
  /** Ends of the axis, ms since 1970. */
  from: number;
  to: number;
}

/** Columns as the chart wants them: seconds, then one column per series. */
export type TimelineColumns = [
  at: number[],
  asked: (number | null)[],
  accepted: (number | null)[],
  refused: (number | null)[],
  latency: (number | null)[],
];

/** A job on the axis. */
export interface JobMark {
  /** Seconds since 1970. */
  at: number;
  clean: boolean;
  empty: boolean;
  height: number;
}

export interface Timeline {
  columns: TimelineColumns;
  jobs: JobMark[];
}

interface Point {
  at: number;
  column: 1 | 2 | 3 | 4;
  value: number;
}

/** Puts difficulty, shares, jobs and latencies on one time axis. */
export function buildTimeline(source: TimelineSource): Timeline {
  const { from, to } = source;
  const inside = (ms: number) => ms >= from && ms <= to;
  const points: Point[] = [];

  let before: number | undefined;
  for (const change of source.difficulty ?? []) {
    const at = Date.parse(change.at);
    if (at <= from) before = change.value;
    else if (inside(at)) points.push({ at, column: 1, value: change.value });
  }
  if (before !== undefined) points.push({ at: from, column: 1, value: before });
  const last = source.difficulty?.findLast((c) => Date.parse(c.at) <= to);
  if (last) points.push({ at: to, column: 1, value: last.value });

  for (const share of source.shares) {
    const at = Date.parse(share.received_at);
    if (!inside(at)) continue;
    if (share.difficulty > 0) {
      const column = share.pool === 'rejected' || share.conflict !== '' ? 3 : 2;
      points.push({ at, column, value: share.difficulty });
    }
    if (share.latency_ms !== null) points.push({ at, column: 4, value: share.latency_ms });
  }

  const jobs = source.jobs
    .map((j) => ({
      at: Date.parse(j.received_at) / 1000,
      clean: j.clean_jobs,
      empty: j.empty,
      height: j.height,
    }))
    .filter((j) => inside(j.at * 1000))
    .sort((a, b) => a.at - b.at);
  return { columns: toColumns(points), jobs };
}

/** One row per moment; two values of one series at the same moment keep the larger. */
function toColumns(points: Point[]): TimelineColumns {
  points.sort((a, b) => a.at - b.at);
  const columns: TimelineColumns = [[], [], [], [], []];
  let previous: number | undefined;
  for (const { at, column, value } of points) {
    if (at !== previous) {
      columns[0].push(at / 1000);
      for (const c of [1, 2, 3, 4] as const) columns[c].push(null);
      previous = at;
    }
    const row = columns[0].length - 1;
    columns[column][row] = Math.max(columns[column][row] ?? 0, value);
  }
  return columns;
}

/** The timeline in a sentence, for those who do not see it. */
export function timelineText({ columns, jobs }: Timeline): string {
  const count = (c: 2 | 3) => columns[c].filter((v) => v !== null).length;
  const clean = jobs.filter((j) => j.clean).length;
  return `${count(2)} accepted and ${count(3)} rejected or disputed shares, ${jobs.length} jobs of which ${clean} clean`;
}
