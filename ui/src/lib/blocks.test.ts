import { expect, it } from 'vitest';
import type { FoundBlock } from '../api/types';
import { mergeBlocks } from './blocks';

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
