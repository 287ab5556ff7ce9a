import { expect, it } from 'vitest';
import { message, unanswered } from './fixture';
import { mergeRows, oldestUnanswered, preview, toRow, trimRows, type Row } from './rows';

const row = (seq: number) => toRow(message(seq), 1);
const seqs = (rows: readonly Row[]) => rows.map((r) => r.seq);

it('takes up rows in any order, each once', () => {
  const list = mergeRows([row(1), row(5), row(9)], { rows: [row(7), row(3), row(9), row(7)] });
  expect(seqs(list)).toEqual([1, 3, 5, 7, 9]);
});

it('does not touch a list that gets nothing new', () => {
  const list = [row(1)];
  expect(mergeRows(list, { rows: [] })).toBe(list);
});

it('lets an answer replace the question, and never the other way round', () => {
  const answered = toRow(message(2), 1);
  const open = toRow(unanswered(2), 2);
  expect(mergeRows([open], { rows: [answered] })[0]).toMatchObject({ answered: true });
  expect(mergeRows([answered], { rows: [open] })[0]).toMatchObject({ answered: true });
  // Also when both come in one batch, in the wrong order.
  expect(mergeRows([], { rows: [answered, open] })[0]).toMatchObject({ answered: true });
});

it('takes away what the filter wants no more', () => {
  const list = mergeRows([row(1), row(2)], { rows: [row(3)], gone: new Set([2, 3]) });
  expect(seqs(list)).toEqual([1]);
});

it('keeps the newest when it trims', () => {
  expect(seqs(trimRows([row(1), row(2), row(3)], 2))).toEqual([2, 3]);
});

it('knows the oldest request that may still be answered', () => {
  const old = toRow(unanswered(1, { ts_recv: '2026-01-01T11:00:00Z' }), 0);
  const rows = [old, row(2), toRow(unanswered(3), 0), row(4), toRow(unanswered(5), 0)];
  expect(oldestUnanswered(rows, 60_000)).toBe(3);
  expect(oldestUnanswered([row(1)], 60_000)).toBeUndefined();
});

it('shows what a line is about', () => {
  expect(preview(message(1))).toBe('["w.rig","job"]');
  const answer = { is_request: false, decoded: { id: 1, result: false, error: null } };
  expect(preview(message(1, answer))).toBe('false');
  const refusal = { decoded: { id: 1, result: null, error: [21, 'Job not found', null] } };
  expect(preview(message(1, refusal))).toBe('[21,"Job not found",null]');
  expect(
    preview(message(1, { decoded: null, raw: btoa('\xff\x00'), raw_encoding: 'base64' })),
  ).toBe('\xff\x00');
});
