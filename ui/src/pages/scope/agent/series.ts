import type { AgentSeries } from '../../../scope/types';

/** A value, a hole in the line (null), or nothing at this moment (undefined: the line goes on). */
export type Value = number | null | undefined;

/** Columns as uPlot wants them: seconds since 1970, then one column per line. */
export type ChartColumns = [at: number[], ...lines: Value[][]];

export interface AgentColumns {
  /** Submit latency p50, p95, p99, ms. */
  latency: ChartColumns;
  /** Accepted part of what was answered, 0 to 1. */
  acceptance: ChartColumns;
  /** How much later than the first agent each new block was seen, ms. */
  delay: ChartColumns;
}

/** An agent is cut off in a chart when nothing came for this many intervals. */
const PATIENCE = 3;

/** The three charts of an agent. `interval` is that of its telemetry, seconds. */
export function toCharts(series: AgentSeries, interval: number): AgentColumns {
  const at: number[] = [];
  const lines: [Value[], Value[], Value[], Value[]] = [[], [], [], []];
  const gap = PATIENCE * Math.max(series.step_s, interval, 5);
  for (const p of series.points ?? []) {
    const time = Date.parse(p.at) / 1000;
    const before = at.at(-1);
    if (before !== undefined && time - before > gap) {
      at.push(before + series.step_s);
      for (const line of lines) line.push(null);
    }
    at.push(time);
    const answered = p.accepted + p.rejected;
    lines[0].push(p.submit_p50_ms ?? undefined);
    lines[1].push(p.submit_p95_ms ?? undefined);
    lines[2].push(p.submit_p99_ms ?? undefined);
    lines[3].push(answered > 0 ? p.accepted / answered : undefined);
  }
  const tips = series.tips ?? [];
  return {
    latency: [at, lines[0], lines[1], lines[2]],
    acceptance: [at, lines[3]],
    delay: [tips.map((t) => Date.parse(t.at) / 1000), tips.map((t) => t.delay_ms)],
  };
}

/** How many values a line has. */
export function countValues(columns: ChartColumns): number {
  const [, first = []] = columns as [number[], Value[]?];
  return first.filter((v) => typeof v === 'number').length;
}

/** Least and greatest of a line; undefined when it has no value. */
export function extent(line: readonly Value[]): [least: number, greatest: number] | undefined {
  const values = line.filter((v): v is number => typeof v === 'number');
  return values.length === 0 ? undefined : [Math.min(...values), Math.max(...values)];
}
