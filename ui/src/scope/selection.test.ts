import { expect, it } from 'vitest';
import { message } from './fixture';
import { toRow, type Row } from './rows';
import { anchored, everything, extended, NOTHING, toggled, type Selection } from './selection';

const rows: Row[] = [
  ...[1, 2, 3].map((seq) => toRow(message(seq), 0)),
  { kind: 'gap', seq: 3.5, dropped: 1, state: 'lost', brought: 0 },
  ...[4, 5].map((seq) => toRow(message(seq), 0)),
];
const seqs = (s: Selection) => [...s.seqs].toSorted((a, b) => a - b);

it('takes rows in and out one by one', () => {
  const two = toggled(toggled(NOTHING, 2), 4);
  expect(seqs(two)).toEqual([2, 4]);
  expect(seqs(toggled(two, 2))).toEqual([4]);
  expect(NOTHING.seqs.size).toBe(0);
});

it('extends from where it began, either way, without gaps', () => {
  const begun = anchored(3);
  expect(seqs(begun)).toEqual([]);
  const down = extended(begun, rows, 5);
  expect(seqs(down)).toEqual([3, 4, 5]);
  // The range turns round its beginning, it does not grow at both ends.
  expect(seqs(extended(down, rows, 1))).toEqual([1, 2, 3]);
  expect(seqs(extended(NOTHING, rows, 2))).toEqual([2]);
});

it('takes all that is loaded', () => {
  expect(seqs(everything(NOTHING, rows))).toEqual([1, 2, 3, 4, 5]);
});
