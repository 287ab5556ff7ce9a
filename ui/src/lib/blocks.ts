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

/** A found block, and how long it let wait for itself. */
export interface TimedBlock extends FoundBlock {
  /** Seconds since the one before; undefined where that is not in the list. */
  after: number | undefined;
}

/** Adds to each block of a list, newest first, the time since the block before it. */
export function withWaits(blocks: readonly FoundBlock[]): TimedBlock[] {
  const times = blocks.map((b) => Date.parse(b.timestamp));
  return blocks.map((b, i) => {
    const before = times[i + 1];
    const wait = before === undefined ? NaN : ((times[i] ?? NaN) - before) / 1000;
    return { ...b, after: Number.isNaN(wait) ? undefined : Math.max(wait, 0) };
  });
}

/** Sums of a list of blocks; those that another block beat earned nothing. */
export function earnings(blocks: readonly FoundBlock[]) {
  const won = blocks.filter((b) => b.result !== 'stale');
  const sum = (of: (b: FoundBlock) => number | undefined) =>
    won.reduce((total, b) => total + (of(b) ?? 0), 0);
  return {
    won: won.length,
    stale: blocks.length - won.length,
    paid: sum((b) => b.worker_payout_sats),
    fees: sum((b) => b.pool_fee_sats),
  };
}
