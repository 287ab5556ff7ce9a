import { useView } from '../../api/LiveProvider';
import { formatDuration, formatHashrate, formatPercent } from '../../lib/format';
import { chanceSpan, chanceWithin, expectedSeconds } from '../../lib/odds';

/** What to expect while no block was found, in a sentence. */
export function Odds() {
  const { data: hashrate } = useView('hashrate');
  const expected = expectedSeconds(hashrate?.block_difficulty, hashrate?.pool_hashrate);
  if (expected === undefined) {
    return (
      <p>How long that takes depends on the hashrate; it is told here as soon as somebody mines.</p>
    );
  }
  const span = chanceSpan(expected);
  return (
    <p>
      At {formatHashrate(hashrate?.pool_hashrate)} the pool finds one every{' '}
      {formatDuration(expected)} on average: a chance of{' '}
      {formatPercent(chanceWithin(span.seconds, expected))} in each {span.name}, however long it has
      been already.
    </p>
  );
}
