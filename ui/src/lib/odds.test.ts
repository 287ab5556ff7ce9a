import { expect, it } from 'vitest';
import { chanceSpan, chanceWithin, expectedSeconds, luck } from './odds';

it('expects 2^32 hashes per unit of difficulty', () => {
  expect(expectedSeconds(1, 2 ** 32)).toBe(1);
  // One terahash against a difficulty of 146.5 T: about 20,000 years.
  const years = (expectedSeconds(146.5e12, 1e12) ?? 0) / (365.25 * 86_400);
  expect(years).toBeGreaterThan(19_000);
  expect(years).toBeLessThan(21_000);
});

it('knows nothing without a hashrate or a difficulty', () => {
  expect(expectedSeconds(undefined, 1)).toBeUndefined();
  expect(expectedSeconds(1, 0)).toBeUndefined();
  expect(expectedSeconds(0, 1)).toBeUndefined();
});

it('follows the exponential law, tiny chances included', () => {
  expect(chanceWithin(600, 600)).toBeCloseTo(1 - 1 / Math.E, 12);
  expect(chanceWithin(1, 1e15)).toBeCloseTo(1e-15, 25);
});

it('states the chance for a span that says something', () => {
  expect(chanceSpan(20).name).toBe('minute');
  expect(chanceSpan(86_400).name).toBe('hour');
  expect(chanceSpan(86_400 * 30).name).toBe('day');
  expect(chanceSpan(86_400 * 36_525).name).toBe('year');
  expect(chanceSpan(1e15).name).toBe('year');
});

it('compares found blocks with the work behind them', () => {
  expect(luck(3, 400, 200)).toEqual({ expected: 2, ratio: 1.5 });
  expect(luck(0, 400, 200)?.ratio).toBe(0);
  // A thousandth of a block's work without a block is no bad luck.
  expect(luck(0, 1, 1000)).toEqual({ expected: 0.001, ratio: undefined });
  expect(luck(1, 1, 1000)?.ratio).toBe(1000);
  expect(luck(0, 0, 200)).toBeUndefined();
  expect(luck(0, 10, 0)).toBeUndefined();
});
