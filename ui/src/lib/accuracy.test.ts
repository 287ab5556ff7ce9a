import { expect, it } from 'vitest';
import type { Accuracy, Worker } from '../api/types';
import { poolAccuracy } from './accuracy';

function worker(rolling_hashrate: number, hashrate_accuracy?: Accuracy): Worker {
  return {
    name: 'a.b',
    display_name: 'a.b',
    rolling_hashrate,
    ...(hashrate_accuracy && { hashrate_accuracy }),
    difficulty: 1,
    vardiff: 1,
    share_rate: 1,
    accepted: 1,
    connection_id: 'x',
  };
}

it('knows nothing about no miners', () => {
  expect(poolAccuracy([])).toBeUndefined();
  expect(poolAccuracy([worker(0, '~')])).toBeUndefined();
});

it('does not let a tiny newcomer cast doubt on the whole', () => {
  expect(poolAccuracy([worker(1000), worker(1, '~')])).toBeUndefined();
});

it('takes the doubt of what makes up a good part', () => {
  expect(poolAccuracy([worker(60), worker(40, '~')])).toBe('~');
  expect(poolAccuracy([worker(60), worker(40, '≈')])).toBe('≈');
  expect(poolAccuracy([worker(78), worker(11, '~'), worker(11, '≈')])).toBe('≈');
});
