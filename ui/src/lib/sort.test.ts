import { expect, it } from 'vitest';
import { nextSort, sortRows } from './sort';

it('sorts names as people count', () => {
  const names = ['rig10', 'Rig2', 'rig1'];
  expect(sortRows(names, (n) => n, false)).toEqual(['rig1', 'Rig2', 'rig10']);
});

it('keeps the order of equal rows both ways', () => {
  const rows = [
    { id: 'a', n: 1 },
    { id: 'b', n: 2 },
    { id: 'c', n: 1 },
  ];
  expect(sortRows(rows, (r) => r.n, false).map((r) => r.id)).toEqual(['a', 'c', 'b']);
  expect(sortRows(rows, (r) => r.n, true).map((r) => r.id)).toEqual(['b', 'a', 'c']);
});

it('turns the order on the second click', () => {
  const first = nextSort({ key: 'name', descending: false }, 'rate', true);
  expect(first).toEqual({ key: 'rate', descending: true });
  expect(nextSort(first, 'rate', true)).toEqual({ key: 'rate', descending: false });
});
