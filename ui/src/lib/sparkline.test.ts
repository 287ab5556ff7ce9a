import { expect, it } from 'vitest';
import { spark } from './sparkline';

const box = { width: 100, height: 23, from: 0, to: 1000, gap: 150 };
const points = (...values: [number, number][]) => values.map(([at, value]) => ({ at, value }));

it('puts the highest point at the top and zero on the ground', () => {
  const { line, top } = spark(points([0, 0], [100, 50], [200, 100]), box);
  expect(line).toBe('M0 21.5L10 11.5L20 1.5');
  expect(top).toBe(100);
});

it('closes the area on the ground', () => {
  expect(spark(points([0, 10], [100, 10]), box).area).toBe('M0 1.5L10 1.5L10 21.5L0 21.5Z');
});

it('leaves a gap where nothing is known', () => {
  const { line } = spark(points([0, 5], [100, 5], [600, 5], [700, 5]), box);
  expect(line.match(/M/g)).toHaveLength(2);
});

it('draws a single point, too', () => {
  expect(spark(points([500, 7]), box).line).toBe('M50 1.5h0.01');
});

it('stays on the ground when there was no work at all', () => {
  expect(spark(points([0, 0], [100, 0]), box)).toMatchObject({ line: 'M0 21.5L10 21.5', top: 0 });
});

it('leaves out what is outside or no number', () => {
  expect(spark(points([-5, 9], [1100, 9], [500, NaN], [510, Infinity]), box)).toEqual({
    line: '',
    area: '',
    top: 0,
  });
});
