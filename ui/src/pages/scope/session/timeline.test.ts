import { expect, it } from 'vitest';
import type { AuditedShare, Job } from '../../../scope/types';
import { buildTimeline, timelineText } from './timeline';

const at = (s: number) => new Date(s * 1000).toISOString();
const share = (s: number, change: Partial<AuditedShare>) =>
  ({
    received_at: at(s),
    difficulty: 5,
    latency_ms: 2,
    pool: 'accepted',
    conflict: '',
    ...change,
  }) as AuditedShare;
const job = (s: number, clean: boolean) =>
  ({ received_at: at(s), clean_jobs: clean, empty: false, height: 1 }) as Job;

it('puts everything on one time axis', () => {
  const timeline = buildTimeline({
    difficulty: [
      { at: at(90), value: 1 },
      { at: at(130), value: 4 },
    ] as never,
    shares: [share(120, {}), share(140, { pool: 'rejected', latency_ms: null }), share(10, {})],
    jobs: [job(150, true), job(110, false), job(99, true)],
    from: 100_000,
    to: 200_000,
  });
  expect(timeline.columns).toEqual([
    [100, 120, 130, 140, 200],
    [1, null, 4, null, 4],
    [null, 5, null, null, null],
    [null, null, null, 5, null],
    [null, 2, null, null, null],
  ]);
  expect(timeline.jobs.map((j) => j.at)).toEqual([110, 150]);
  expect(timelineText(timeline)).toBe(
    '1 accepted and 1 rejected or disputed shares, 2 jobs of which 1 clean',
  );
});

it('does without anything', () => {
  const timeline = buildTimeline({ difficulty: null, shares: [], jobs: [], from: 0, to: 1 });
  expect(timeline.columns[0]).toEqual([]);
});
