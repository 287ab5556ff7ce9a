import { expect, it } from 'vitest';
import { localMinute, secondsUntil } from './duration';

it('counts the seconds until a local time', () => {
  const now = new Date(2026, 10, 22, 14, 0, 0).getTime();
  expect(secondsUntil('2026-11-22T14:10', now)).toBe(600);
  expect(secondsUntil('2026-11-22T14:00', now)).toBeUndefined();
  expect(secondsUntil('2026-11-21T14:10', now)).toBeUndefined();
  expect(secondsUntil('', now)).toBeUndefined();
});

it('writes a time as the field for it wants it', () => {
  const at = new Date(2026, 0, 2, 3, 4, 5).getTime();
  expect(localMinute(at)).toBe('2026-01-02T03:04');
  expect(secondsUntil(localMinute(at), at - 5_000 - 60_000)).toBe(60);
});
