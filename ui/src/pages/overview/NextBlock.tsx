import type { PoolHashrate } from '../../api/types';
import { Figure } from '../../components/Figures';
import { formatDuration, formatPercent } from '../../lib/format';
import { chanceSpan, chanceWithin, expectedSeconds } from '../../lib/odds';

/** How long this pool needs for a block at the present rate, on average. */
export function NextBlock({ hashrate }: { hashrate: PoolHashrate | undefined }) {
  const expected = expectedSeconds(hashrate?.block_difficulty, hashrate?.pool_hashrate);
  const span = expected === undefined ? undefined : chanceSpan(expected);
  return (
    <Figure
      label="A block every"
      value={hashrate && formatDuration(expected)}
      note={
        expected === undefined || span === undefined
          ? 'on average, once mining'
          : `on average; ${formatPercent(chanceWithin(span.seconds, expected))} per ${span.name}`
      }
    />
  );
}
