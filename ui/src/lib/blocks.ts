import type { FoundBlock } from '../api/types';

/**
 * One list out of two, newest first, each block once. Where both lists have a
 * block, what `fresh` says about it holds.
 */
export function mergeBlocks(
  fresh: readonly FoundBlock[],
  older: readonly FoundBlock[],
): FoundBlock[] {
  const known = new Set(fresh.map((b) => b.hash));
  const all = [...fresh, ...older.filter((b) => !known.has(b.hash))];
  return all.sort(
    (a, b) => b.height - a.height || Date.parse(b.timestamp) - Date.parse(a.timestamp),
  );
}
