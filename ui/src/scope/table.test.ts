import { expect, it } from 'vitest';
import { message } from './fixture';
import { toRow, type Row } from './rows';
import { messagesTSV } from './table';

it('copies messages newest first, as lines whatever a miner sent', () => {
  const hostile = message(2, { worker: '=1+1', decoded: null, raw: 'a\tb\\\r\n' });
  const rows: Row[] = [
    toRow(message(1), 0),
    { kind: 'gap', seq: 1.5, dropped: 3, state: 'lost', brought: 0 },
    toRow(hostile, 0),
  ];
  const { text, rows: count } = messagesTSV(rows);
  const lines = text.split('\n').map((line) => line.split('\t'));
  expect(count).toBe(2);
  expect(lines).toHaveLength(4);
  const header = lines[0] ?? [];
  expect(lines[1]).toHaveLength(header.length);
  const at = (name: string) => lines[1]?.[header.indexOf(name)];
  expect(at('Message')).toBe('session-2');
  expect(at('Worker')).toBe("'=1+1");
  expect(at('Time')).toBe('2026-01-01T12:00:00.002Z');
  expect(at('Size (bytes)')).toBe('60');
  expect(lines[1]?.join(' ')).toContain('a\\tb\\\\');
});
