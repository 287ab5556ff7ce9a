import { describe, expect, it } from 'vitest';
import { COLUMNS, columnsFor } from './columns';
import { manyWorkers } from './fixture';
import { between, filterWorkers, keepOrder, sortAgain } from './list';
import { readSearch, toSearch, toView } from './search';
import { workersTSV } from './tsv';

const workers = manyWorkers(40);
const ids = (rows: { id: string }[]) => rows.map((w) => Number.parseInt(w.id, 16));

describe('filterWorkers', () => {
  it.each([
    ['RIG3', 'all', [3, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39]],
    ['rig3 cgminer', 'online', [3, 31, 33, 35, 37]],
    ['', 'offline', [9, 19, 29, 39]],
    ['  ', 'offline', [9, 19, 29, 39]],
    ['nobody', 'all', []],
  ] as const)('%s, %s', (text, state, found) => {
    expect(ids(filterWorkers(workers, { text, state }))).toEqual(found);
  });
});

it('keeps rows where they were, and puts new ones last', () => {
  const before = workers.slice(0, 4).toReversed();
  const fresh = [1, 2, 5, 0].flatMap((i) =>
    workers.slice(i, i + 1).map((w) => ({ ...w, accepted: 7 })),
  );
  const kept = keepOrder(before, fresh);
  expect(ids(kept)).toEqual([2, 1, 0, 5]);
  expect(kept.every((w) => w.accepted === 7)).toBe(true);
});

it('does not exchange equal rows when it sorts again', () => {
  const before = workers.slice(0, 5).toReversed();
  expect(ids(sortAgain(before, workers.slice(0, 5), () => 1, true))).toEqual([4, 3, 2, 1, 0]);
});

it('selects from one to the other, whichever comes first', () => {
  expect(between(workers, 4, 2)).toEqual(between(workers, 2, 4));
  expect(between(workers, 2, 4)).toHaveLength(3);
});

it('sorts by every column', () => {
  for (const { value } of COLUMNS) {
    expect(new Set(workers.map((w) => typeof value(w))).size).toBe(1);
  }
});

it.each([
  [0, COLUMNS.length],
  [4000, COLUMNS.length],
  [1310, COLUMNS.length],
])('in %i px there is room for %i columns', (width, count) => {
  expect(columnsFor(width)).toHaveLength(count);
});

it('gives up columns where there is no room, never the name and the hashrate', () => {
  let before = COLUMNS.length;
  for (let width = 1400; width > 100; width -= 50) {
    const keys = columnsFor(width).map((c) => c.key);
    expect(keys.length).toBeLessThanOrEqual(before);
    expect(keys).toEqual(expect.arrayContaining(['name', 'hashrate']));
    before = keys.length;
  }
  expect(before).toBe(2);
});

it.each([
  [{}, { text: '', state: 'all', sort: 'hashrate', descending: true }],
  [
    { text: 123, up: true },
    { text: '123', state: 'all', sort: 'hashrate', descending: false },
  ],
  [{ text: { a: 1 }, state: 'x', sort: 7, up: 'no' }, toView({})],
  [
    { text: 'a b', state: 'offline', sort: 'best' },
    { text: 'a b', state: 'offline', sort: 'best', descending: true },
  ],
] as const)('reads the address %j', (search, view) => {
  const read = toView(readSearch(search));
  expect(read).toEqual(view);
  expect(toView(toSearch(read))).toEqual(view);
});

it('copies full figures', () => {
  const [header, first] = workersTSV(workers.slice(1, 2)).split('\n');
  expect(header?.split('\t')).toContain('Hashrate (H/s)');
  expect(first).toContain('\t1000039000000\t');
});
