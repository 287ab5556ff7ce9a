import { expect, test } from 'vitest';
import { countNewer, type Action } from './api';

function action(id: number | string): Action {
  return { id, at: '', user: '', address: '', name: '', target: '', detail: '', failed: false };
}

test('actions that came after those that are shown are counted', () => {
  const shown = [action(9), action(8)];
  expect(countNewer([action(11), action('10'), action(9)], shown)).toBe(2);
  expect(countNewer([action(9)], shown)).toBe(0);
  expect(countNewer([action(1)], [])).toBe(1);
  expect(countNewer(undefined, shown)).toBe(0);
  expect(countNewer([action(9)], undefined)).toBe(0);
});
