import { expect, it } from 'vitest';
import { filterLines, lineText, merge, MOST_LINES, type LogLine, type LogPage } from './tail';

const line = (id: number, more: Partial<LogLine> = {}): LogLine => ({
  id,
  at: '2026-11-22T14:00:00Z',
  level: 'info',
  part: 'pool',
  message: `line ${id}`,
  attrs: {},
  ...more,
});

const page = (lines: LogLine[], more: Partial<LogPage> = {}): LogPage => ({
  level: 'info',
  configured_level: 'info',
  lines,
  next: lines.at(-1)?.id ?? 0,
  dropped: 0,
  parts: ['pool'],
  ...more,
});

const ids = (lines: readonly LogLine[]) => lines.map(({ id }) => id);

it('adds what came since, and nothing twice', () => {
  const first = merge(undefined, page([line(1), line(2)]));
  const then = merge(first, page([line(2), line(3)]));
  expect(ids(then.lines)).toEqual([1, 2, 3]);
  expect(then.next).toBe(3);
});

it('keeps the newest lines only', () => {
  const full = merge(undefined, page(Array.from({ length: MOST_LINES }, (_, i) => line(i + 1))));
  const then = merge(full, page([line(MOST_LINES + 1), line(MOST_LINES + 2)]));
  expect(then.lines).toHaveLength(MOST_LINES);
  expect(then.lines[0]?.id).toBe(3);
});

it('remembers where lines are missing, for as long as that place is kept', () => {
  const before = merge(undefined, page([line(1)]));
  const gap = merge(before, page([line(90), line(91)], { dropped: 88 }));
  expect([...gap.gaps]).toEqual([[90, 88]]);
  const later = merge(gap, page(Array.from({ length: MOST_LINES }, (_, i) => line(100 + i))));
  expect(later.gaps.size).toBe(0);
});

it('does not call lines missing that were before the first request', () => {
  expect(merge(undefined, page([line(90)], { dropped: 89 })).gaps.size).toBe(0);
});

it('knows parts that have been heard of before', () => {
  const before = merge(undefined, page([line(1)], { parts: ['pool', 'backup'] }));
  expect(merge(before, page([], { parts: ['http'] })).parts).toEqual(['backup', 'http', 'pool']);
});

it('filters by importance, part, and all words', () => {
  const lines = [
    line(1, { level: 'debug', message: 'share taken' }),
    line(2, { level: 'warn', part: 'http', message: 'slow request', attrs: { path: '/api/x' } }),
    line(3, { level: 'error', message: 'node is away', attrs: { err: 'Connection refused' } }),
  ];
  expect(ids(filterLines(lines, { level: 'debug', part: '', text: ' ' }))).toEqual([1, 2, 3]);
  expect(ids(filterLines(lines, { level: 'warn', part: '', text: '' }))).toEqual([2, 3]);
  expect(ids(filterLines(lines, { level: 'debug', part: 'http', text: '' }))).toEqual([2]);
  expect(ids(filterLines(lines, { level: 'debug', part: '', text: 'refused NODE' }))).toEqual([3]);
  expect(ids(filterLines(lines, { level: 'debug', part: '', text: 'path=/api' }))).toEqual([2]);
});

it('writes a line as one line', () => {
  const text = lineText(line(1, { message: 'a\nb', attrs: { worker: 'x y', n: '1', none: '' } }));
  expect(text).toBe('2026-11-22T14:00:00Z INFO  pool a␊b worker="x y" n=1 none=""');
});
