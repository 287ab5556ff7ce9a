import { expect, it } from 'vitest';
import type { HistoryPoint } from '../api/types';
import { powersOfTen, summary, thin, toColumns, isolated } from './chart';

function point(second: number, hashrate: number, best_share = 0): HistoryPoint {
  return {
    at: new Date(second * 1000).toISOString(),
    hashrate,
    accepted: 0,
    rejected: 0,
    best_share,
    block_height: 0,
  };
}

it('leaves out best shares of steps that had none', () => {
  expect(toColumns([point(5, 10, 0.5), point(10, 20)], 5)).toEqual([
    [5, 10],
    [10, 20],
    [0.5, null],
  ]);
});

it('breaks the line where points are missing', () => {
  const [at, hashrate] = toColumns([point(5, 1), point(10, 1), point(60, 2)], 5);
  expect(at).toEqual([5, 10, 15, 60]);
  expect(hashrate).toEqual([1, 1, null, 2]);
});

it('drops what is out of order or no time at all', () => {
  const [at] = toColumns([point(10, 1), point(10, 2), point(5, 3), { ...point(0, 4), at: '' }], 5);
  expect(at).toEqual([10]);
});

it('thins out dots by keeping the best of each group', () => {
  expect(thin([1, 3, null, 2, null, null], 3)).toEqual([null, 3, null, 2, null, null]);
  expect(thin([1, null, 2], 3)).toEqual([1, null, 2]);
  expect(thin([], 3)).toEqual([]);
});

it('marks a logarithmic axis at powers of ten', () => {
  expect(powersOfTen(0.0008, 0.5)).toEqual([0.001, 0.01, 0.1]);
  expect(powersOfTen(1000, 1_000_000)).toEqual([1e3, 1e4, 1e5, 1e6]);
  expect(powersOfTen(0.5, 3e13)).toEqual([1, 1e3, 1e6, 1e9, 1e12]);
  expect(powersOfTen(2, 3)).toEqual([]);
  expect(powersOfTen(0, 10)).toEqual([]);
});

it('sums up', () => {
  expect(summary(toColumns([point(5, 10), point(10, 30)], 5))).toEqual({
    low: 10,
    high: 30,
    mean: 20,
  });
  expect(summary([[], [], []])).toBeUndefined();
});

it.each([
  [[1], [0]],
  [[1, 2], []],
  [[null, 1, null, 2, 3], [1]],
  [
    [1, null, undefined, 4],
    [0, 3],
  ],
  [[0, null], [0]],
  [[], []],
])('stands alone: %j', (values, alone) => {
  expect(isolated(values)).toEqual(alone);
});
