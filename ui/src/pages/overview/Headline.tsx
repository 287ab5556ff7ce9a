import { useView } from '../../api/LiveProvider';
import type { Overview, PoolHashrate, Status } from '../../api/types';
import { Figure, Figures } from '../../components/Figures';
import { accuracyText, poolAccuracy } from '../../lib/accuracy';
import { useNow } from '../../lib/clock';
import {
  formatCount,
  formatDifficulty,
  formatPercent,
  formatRate,
  formatTimer,
  hashrateParts,
  NONE,
  parseTime,
} from '../../lib/format';
import styles from './Headline.module.css';
import { NextBlock } from './NextBlock';

/** The figures that a miner looks for first. */
export function Headline() {
  const { data: overview } = useView('overview');
  const { data: hashrate } = useView('hashrate');
  const { data: status } = useView('status');
  return (
    <Figures label="Headline figures">
      <PoolRate overview={overview} hashrate={hashrate} />
      <Miners overview={overview} status={status} />
      <Shares overview={overview} status={status} />
      <BestShare hashrate={hashrate} status={status} />
      <NextBlock hashrate={hashrate} />
      <BlockTimer hashrate={hashrate} />
    </Figures>
  );
}

function PoolRate(props: { overview: Overview | undefined; hashrate: PoolHashrate | undefined }) {
  const { overview, hashrate } = props;
  const parts = hashrateParts(hashrate?.pool_hashrate);
  const mark = overview && poolAccuracy(overview.workers);
  return (
    <Figure
      hero
      label="Pool hashrate"
      value={
        hashrate && (
          <span data-testid="hashrate" data-hashrate={hashrate.pool_hashrate}>
            {mark !== undefined && (
              <span className={styles.mark} title={accuracyText(mark)}>
                {mark}
              </span>
            )}
            {parts.value}
          </span>
        )
      }
      unit={parts.unit}
      note={
        hashrate && hashrate.pool_hashrate > 0
          ? capital(accuracyText(mark))
          : 'No miner is connected'
      }
    />
  );
}

function Miners({
  overview,
  status,
}: {
  overview: Overview | undefined;
  status: Status | undefined;
}) {
  const tls = overview?.active_tls_miners ?? 0;
  const idle = overview && status ? overview.active_miners - status.authorized : 0;
  const notes = [];
  if (tls > 0) notes.push(`${formatCount(tls)} over TLS`);
  if (idle > 0) notes.push(`${formatCount(idle)} signing in`);
  return (
    <Figure
      label="Miners"
      value={overview && formatCount(overview.active_miners)}
      note={
        notes.length > 0
          ? notes.join(', ')
          : overview?.active_miners === 0
            ? 'none connected'
            : 'connected'
      }
    />
  );
}

function Shares({
  overview,
  status,
}: {
  overview: Overview | undefined;
  status: Status | undefined;
}) {
  const all = status ? status.accepted + status.rejected : 0;
  return (
    <Figure
      label="Shares"
      value={overview && formatRate(overview.shares_per_minute ?? 0)}
      unit="/min"
      note={
        all === 0
          ? 'none yet'
          : `${formatPercent((status?.rejected ?? 0) / all)} of ${formatCount(all)} rejected`
      }
    />
  );
}

function BestShare(props: { hashrate: PoolHashrate | undefined; status: Status | undefined }) {
  const { hashrate, status } = props;
  const best = status?.best_share;
  const [value, unit] = formatDifficulty(best?.difficulty).split(' ');
  const part = best && hashrate && best.difficulty / hashrate.block_difficulty;
  return (
    <Figure
      label="Best share"
      value={status && <span className={styles.gold}>{value}</span>}
      unit={unit}
      note={
        best
          ? part !== undefined && part < 1
            ? `${formatPercent(part)} of a block`
            : 'enough for a block'
          : 'none yet'
      }
    />
  );
}

/** Seconds in which the network as a whole means to find a block. */
const TARGET = 600;

/** How many past intervals are named. */
const INTERVALS = 3;

function BlockTimer({ hashrate }: { hashrate: PoolHashrate | undefined }) {
  const now = useNow();
  const times = (hashrate?.recent_block_times ?? []).map((t) => parseTime(t) ?? 0);
  const last = times.at(-1);
  const elapsed = last === undefined ? undefined : Math.max(now - last, 0) / 1000;
  const intervals = times
    .slice(1)
    .map((t, i) => (t - (times[i] ?? t)) / 1000)
    .slice(-INTERVALS)
    .toReversed();
  const meter = elapsed !== undefined && elapsed > TARGET / 50 && (
    <span
      className={styles.meter}
      data-late={elapsed > TARGET}
      aria-hidden="true"
      title="of the ten minutes that the network aims at"
    >
      <span style={{ width: `${Math.min(elapsed / TARGET, 1) * 100}%` }} />
    </span>
  );
  return (
    <Figure
      label="Since the last block"
      value={
        hashrate && (
          <span data-testid="block-timer">
            {elapsed === undefined ? NONE : formatTimer(elapsed)}
          </span>
        )
      }
      note={
        <>
          {meter}
          {timerNote(intervals, elapsed)}
        </>
      }
    />
  );
}

function timerNote(intervals: number[], elapsed: number | undefined): string {
  if (elapsed === undefined) return 'not started yet';
  if (intervals.length === 0) return elapsed > TARGET ? 'overdue' : '';
  return `before: ${intervals.map((s) => formatTimer(s)).join(', ')}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
