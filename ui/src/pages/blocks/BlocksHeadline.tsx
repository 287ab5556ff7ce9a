import { useBlocks, useView } from '../../api/LiveProvider';
import { Figure, Figures } from '../../components/Figures';
import { useNow } from '../../lib/clock';
import { earnings, withWaits } from '../../lib/blocks';
import {
  bitcoinParts,
  formatBTC,
  formatCount,
  formatDifficulty,
  formatDuration,
  formatPercent,
  formatSats,
  parseTime,
  plural,
} from '../../lib/format';
import { luck } from '../../lib/odds';
import { splitWorker } from '../../lib/workerName';
import { NextBlock } from '../overview/NextBlock';

/** What all found blocks come to, and when to expect the next. */
export function BlocksHeadline() {
  const { data: blocks } = useBlocks();
  const { data: status } = useView('status');
  const { data: hashrate } = useView('hashrate');
  const now = useNow();
  const sums = blocks && earnings(blocks);
  const newest = blocks?.[0];
  const waits = (blocks ? withWaits(blocks) : []).flatMap((b) => b.after ?? []);
  const mean = waits.length > 0 ? waits.reduce((a, b) => a + b, 0) / waits.length : undefined;
  const fortune =
    status &&
    hashrate &&
    luck(status.blocks_accepted, status.accepted_work, hashrate.block_difficulty);

  const found = parseTime(newest?.timestamp);
  const since = found === undefined ? undefined : Math.max(now - found, 0) / 1000;
  const paid = bitcoinParts(sums?.paid);
  return (
    <Figures label="Figures of the found blocks">
      <Figure
        label="In the chain"
        value={status && formatCount(status.blocks_accepted)}
        note={
          [
            sums && sums.stale > 0 ? `${formatCount(sums.stale)} stale` : '',
            status && status.blocks_errored > 0
              ? `${formatCount(status.blocks_errored)} refused by every node`
              : '',
          ]
            .filter(Boolean)
            .join(', ') || 'none was lost'
        }
      />
      <Figure
        label={sums && sums.won < (status?.blocks_accepted ?? 0) ? 'Paid by the latest' : 'Paid'}
        title={sums && `${formatBTC(sums.paid)}, ${formatSats(sums.paid)}`}
        value={sums && paid.value}
        unit={paid.unit}
        note={
          sums && (sums.fees > 0 ? `to miners, and ${formatBTC(sums.fees)} of fees` : 'to miners')
        }
      />
      <Figure
        label="Since the last one"
        value={blocks && formatDuration(since)}
        note={
          newest
            ? `by ${splitWorker(newest.display_worker).rig ?? newest.display_worker}`
            : 'none yet'
        }
      />
      <Figure
        label="Time between blocks"
        value={blocks && formatDuration(mean)}
        note={
          mean === undefined
            ? 'known from the second block on'
            : `mean of the last ${plural(waits.length, 'wait')}`
        }
      />
      <Figure
        label="Luck"
        title="Blocks in the chain, compared with what all accepted shares are worth at the present difficulty of the network"
        value={status && hashrate && formatPercent(fortune?.ratio)}
        note={
          fortune
            ? `${formatDifficulty(fortune.expected)} expected of the work so far`
            : 'no work was done yet'
        }
      />
      <NextBlock hashrate={hashrate} />
    </Figures>
  );
}
