/** Hashes that one unit of difficulty stands for, on average. */
export const HASHES_PER_DIFFICULTY = 2 ** 32;

/** Seconds that `hashrate` needs for a block on average; undefined while unknown. */
export function expectedSeconds(
  networkDifficulty: number | undefined,
  hashrate: number | undefined,
): number | undefined {
  if (networkDifficulty === undefined || hashrate === undefined) return undefined;
  if (!(networkDifficulty > 0) || !(hashrate > 0)) return undefined;
  return (networkDifficulty * HASHES_PER_DIFFICULTY) / hashrate;
}

/**
 * Chance of at least one block within `seconds`. Finding blocks is a Poisson
 * process, so past bad luck changes nothing: 1 − e^(−t/expected).
 */
export function chanceWithin(seconds: number, expected: number): number {
  return -Math.expm1(-seconds / expected);
}

/** The span of time in which to state the chance so that it says something. */
export function chanceSpan(expected: number): { name: string; seconds: number } {
  const spans = [
    { name: 'minute', seconds: 60 },
    { name: 'hour', seconds: 3600 },
    { name: 'day', seconds: 86_400 },
    { name: 'year', seconds: 365.25 * 86_400 },
  ];
  const last = { name: 'year', seconds: 365.25 * 86_400 };
  return spans.find((s) => chanceWithin(s.seconds, expected) >= 0.01) ?? last;
}

/** What the work that was done promised, and what came of it. */
export interface Luck {
  /** Blocks that the work is worth on average. */
  expected: number;
  /** Found blocks as a share of that; undefined while too little was done to tell. */
  ratio: number | undefined;
}

/**
 * Compares blocks with the work behind them (a sum of share difficulties), as
 * if the difficulty of the network had always been what it is now. Before the
 * work is worth a block, none found says nothing.
 */
export function luck(found: number, work: number, networkDifficulty: number): Luck | undefined {
  if (!(work > 0) || !(networkDifficulty > 0)) return undefined;
  const expected = work / networkDifficulty;
  return { expected, ratio: expected >= 1 || found > 0 ? found / expected : undefined };
}
