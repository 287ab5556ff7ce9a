import { expect, it } from 'vitest';
import type { AgentSeries } from '../../../scope/types';
import { countValues, extent, toCharts } from './series';

const point = (seconds: number, accepted: number, rejected: number) => ({
  at: new Date(seconds * 1000).toISOString(),
  telemetry: 1,
  connected: 1,
  attempted: accepted + rejected,
  accepted,
  rejected,
  submit_p50_ms: 20,
  submit_p95_ms: 40,
  submit_p99_ms: null,
  connect_ms: null,
});

const series = (points: AgentSeries['points']): AgentSeries => ({
  agent_id: 'a',
  since: '1970-01-01T00:00:00Z',
  until: '1970-01-01T01:00:00Z',
  step_s: 15,
  points,
  tips: [{ at: '1970-01-01T00:00:20Z', prev_hash: '00', height: 1, delay_ms: 0, agents: 2 }],
});

it('makes lines, without a value where nothing was answered', () => {
  const { latency, acceptance, delay } = toCharts(series([point(15, 3, 1), point(30, 0, 0)]), 2);
  expect(latency).toEqual([
    [15, 30],
    [20, 20],
    [40, 40],
    [undefined, undefined],
  ]);
  expect(acceptance[1]).toEqual([0.75, undefined]);
  expect(delay).toEqual([[20], [0]]);
});

it('breaks the lines where the agent was silent, not where it tells more rarely than a step', () => {
  const cut = toCharts(series([point(15, 1, 0), point(90, 1, 0)]), 2).latency;
  expect(cut[0]).toEqual([15, 30, 90]);
  expect(cut[1]).toEqual([20, null, 20]);
  const rare = toCharts(series([point(15, 1, 0), point(90, 1, 0)]), 30).latency;
  expect(rare[0]).toEqual([15, 90]);
});

it('counts and measures lines that have holes', () => {
  expect(
    countValues([
      [1, 2, 3],
      [5, null, undefined],
    ]),
  ).toBe(1);
  expect(extent([null, 3, undefined, 1])).toEqual([1, 3]);
  expect(extent([null])).toBeUndefined();
});
