import { expect, it } from 'vitest';
import { toTSV, tsvCell, withUnit } from './tsv';

it('writes figures with all their digits', () => {
  expect(tsvCell(1234567.891)).toBe('1234567.891');
  expect(tsvCell(-0.5)).toBe('-0.5');
  expect(tsvCell(2 ** 70)).toBe('1180591620717411303424');
  expect(tsvCell(0)).toBe('0');
  expect(tsvCell(false)).toBe('false');
});

it('leaves a cell empty where nothing is known', () => {
  for (const nothing of [null, undefined, NaN, Infinity, new Date(NaN)]) {
    expect(tsvCell(nothing)).toBe('');
  }
});

it('writes times in UTC', () => {
  expect(tsvCell(new Date('2026-11-22T11:00:00.5+01:00'))).toBe('2026-11-22T10:00:00.500Z');
});

it('keeps a row one line whatever a cell holds', () => {
  const hostile = 'a\tb\r\nc\\t\n';
  const text = toTSV(['Name', 'Two\tof them'], [[hostile, 1]]);
  const lines = text.split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[2]).toBe('');
  for (const line of lines.slice(0, 2)) expect(line.split('\t')).toHaveLength(2);
  const read = (lines[1] ?? '').split('\t')[0]?.replace(/\\(.)/g, (_, c: string) => {
    return { t: '\t', n: '\n', r: '\r' }[c] ?? c;
  });
  expect(read).toBe(hostile);
});

it('lets no text run as a formula, and no number be taken for one', () => {
  expect(tsvCell('=HYPERLINK("http://x")')).toBe('\'=HYPERLINK("http://x")');
  expect(tsvCell('  @SUM(A1)')).toBe("'  @SUM(A1)");
  expect(tsvCell('\t=1')).toBe("'\\t=1");
  expect(tsvCell('bc1q-rig+1')).toBe('bc1q-rig+1');
  expect(tsvCell(-3)).toBe('-3');
});

it('names the unit in the header', () => {
  expect(withUnit('Hashrate', 'H/s')).toBe('Hashrate (H/s)');
  expect(withUnit('Worker', undefined)).toBe('Worker');
});
