import { expect, it } from 'vitest';
import type { FoundBlock } from '../api/types';
import { earnings, mergeBlocks, withWaits } from './blocks';

function block(height: number, hash: string, confirmations: number): FoundBlock {
  return {
    height,
    hash,
    display_hash: hash,
    worker: 'w',
    display_worker: 'w',
    timestamp: '2026-11-21T23:55:30Z',
    share_diff: 1,
    confirmations,
  };
}

it('lists each block once, newest first, as the fresh list has it', () => {
  const fresh = [block(12, 'c', 1), block(11, 'b', 2)];
  const older = [block(11, 'b', 1), block(10, 'a', 2)];
  expect(mergeBlocks(fresh, older).map((b) => [b.hash, b.confirmations])).toEqual([
    ['c', 1],
    ['b', 2],
    ['a', 2],
  ]);
});

it('keeps two blocks of one height apart', () => {
  expect(mergeBlocks([block(10, 'a', 1)], [block(10, 'x', -1)])).toHaveLength(2);
});

it('leaves its input alone', () => {
  const fresh = [block(1, 'a', 1)];
  mergeBlocks(fresh, [block(2, 'b', 1)]);
  expect(fresh.map((b) => b.hash)).toEqual(['a']);
});

it('tells how long each block let wait, and nothing of the first', () => {
  const at = (hash: string, timestamp: string) => ({ ...block(1, hash, 1), timestamp });
  const list = [
    at('c', '2026-11-22T00:10:00Z'),
    at('b', '2026-11-21T23:59:30.5Z'),
    at('a', '2026-11-21T23:59:31Z'), // found a moment later, of a lower height
    at('0', '2026-11-21T20:00:00Z'),
  ];
  expect(withWaits(list).map((b) => b.after)).toEqual([629.5, 0, 14_371, undefined]);
  expect(withWaits([at('x', 'soon')])[0]?.after).toBeUndefined();
});

it('sums up what blocks paid, but for those that lost', () => {
  const paid = { ...block(3, 'c', 1), worker_payout_sats: 300, pool_fee_sats: 2 };
  const lost = { ...block(2, 'b', 0), worker_payout_sats: 500, result: 'stale' as const };
  expect(earnings([paid, lost, block(1, 'a', 7)])).toEqual({
    won: 2,
    stale: 1,
    paid: 300,
    fees: 2,
  });
});
