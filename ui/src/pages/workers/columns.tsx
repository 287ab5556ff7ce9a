import { ShieldCheck } from 'lucide-react';
import type { ReactNode } from 'react';
import type { WorkerRow } from '../../api/workers';
import { Pill } from '../../components/Pill';
import { Time } from '../../components/Time';
import { WorkerName } from '../../components/WorkerName';
import { accuracyText } from '../../lib/accuracy';
import {
  formatCount,
  formatDifficulty,
  formatHashrate,
  formatLatency,
  formatPercent,
  formatRate,
  NONE,
  parseTime,
} from '../../lib/format';
import { shortWorker } from '../../scope/words';
import styles from './WorkerTable.module.css';

export interface WorkerColumn {
  key: string;
  header: string;
  /** Width on a wide screen, px; the name takes what is left. */
  width: number;
  /** Columns give way where there is no room, the largest number first. */
  rank: number;
  numeric?: boolean;
  cell: (row: WorkerRow) => ReactNode;
  value: (row: WorkerRow) => number | string;
}

const time = (text: string | undefined) => parseTime(text) ?? 0;

/** Rejected shares as a part of all. */
export function rejectedPart(w: Pick<WorkerRow, 'accepted' | 'rejected'>): number {
  return w.rejected / Math.max(w.accepted + w.rejected, 1);
}

export const COLUMNS: readonly WorkerColumn[] = [
  {
    key: 'name',
    header: 'Worker',
    width: 190,
    rank: 0,
    value: (w) => w.name,
    cell: (w) => <WorkerName name={shortWorker(w.name)} />,
  },
  {
    key: 'state',
    header: 'State',
    width: 84,
    rank: 2,
    value: (w) => (w.online ? w.connections : 0),
    cell: (w) => <StateCell worker={w} />,
  },
  {
    key: 'agent',
    header: 'Miner',
    width: 116,
    rank: 7,
    value: (w) => w.user_agent,
    cell: (w) => <span title={w.user_agent}>{w.user_agent === '' ? NONE : w.user_agent}</span>,
  },
  {
    key: 'hashrate',
    header: 'Hashrate',
    width: 100,
    rank: 1,
    numeric: true,
    value: (w) => w.hashrate,
    cell: (w) => <Hashrate worker={w} />,
  },
  {
    key: 'rate',
    header: 'Shares/min',
    width: 78,
    rank: 9,
    numeric: true,
    value: (w) => w.share_rate,
    cell: (w) => formatRate(w.share_rate),
  },
  {
    key: 'difficulty',
    header: 'Difficulty',
    width: 74,
    rank: 6,
    numeric: true,
    value: (w) => w.difficulty,
    cell: (w) => (
      <span title={`Vardiff would choose ${formatDifficulty(w.vardiff)} now`}>
        {formatDifficulty(w.difficulty)}
      </span>
    ),
  },
  {
    key: 'accepted',
    header: 'Accepted',
    width: 76,
    rank: 4,
    numeric: true,
    value: (w) => w.accepted,
    cell: (w) => formatCount(w.accepted),
  },
  {
    key: 'rejected',
    header: 'Rejected',
    width: 84,
    rank: 3,
    numeric: true,
    value: (w) => w.rejected,
    cell: (w) => <Rejected worker={w} />,
  },
  {
    key: 'best',
    header: 'Best share',
    width: 78,
    rank: 5,
    numeric: true,
    value: (w) => w.best_share,
    cell: (w) => (
      <span
        className={styles.gold}
        title={`${formatDifficulty(w.best_session)} since it connected`}
      >
        {w.best_share > 0 ? formatDifficulty(w.best_share) : NONE}
      </span>
    ),
  },
  {
    key: 'latency',
    header: 'Latency',
    width: 58,
    rank: 10,
    numeric: true,
    value: (w) => w.ping_p50_ms ?? -1,
    cell: (w) => formatLatency(w.ping_p50_ms),
  },
  {
    key: 'last',
    header: 'Last share',
    width: 100,
    rank: 8,
    numeric: true,
    value: (w) => time(w.last_share),
    cell: (w) => <Time at={w.last_share} ago />,
  },
  {
    key: 'first',
    header: 'First seen',
    width: 92,
    rank: 11,
    numeric: true,
    value: (w) => time(w.first_seen),
    cell: (w) => <Time at={w.first_seen} />,
  },
];

/** What the stylesheet puts between the columns, and at the edges with the checkbox, px. */
const GAP = 10;
const EDGES = 50;

/** The columns that there is room for in so many pixels; all where that is not known. */
export function columnsFor(width: number): readonly WorkerColumn[] {
  if (width <= 0) return COLUMNS;
  const byRank = COLUMNS.toSorted((a, b) => a.rank - b.rank);
  let left = width - EDGES;
  const fitting = new Set<string>();
  for (const column of byRank) {
    left -= column.width + GAP;
    if (left < 0 && fitting.size >= 2) break;
    fitting.add(column.key);
  }
  return COLUMNS.filter((c) => fitting.has(c.key));
}

export function StateCell({ worker: w }: { worker: WorkerRow }) {
  if (!w.online) return <Pill>Offline</Pill>;
  return (
    <>
      <Pill tone="good">Online</Pill>
      {w.connections > 1 && (
        <small title={`${formatCount(w.connections)} connections`}>
          {' '}
          × {formatCount(w.connections)}
        </small>
      )}
      {w.tls && (
        <span title="Encrypted (TLS)" className={styles.tls}>
          <ShieldCheck size={13} aria-hidden="true" />
          <span className="visually-hidden">encrypted</span>
        </span>
      )}
    </>
  );
}

export function Hashrate({ worker: w }: { worker: WorkerRow }) {
  return (
    <>
      {w.hashrate > 0 && w.hashrate_accuracy && (
        <span className={styles.mark} title={accuracyText(w.hashrate_accuracy)}>
          {w.hashrate_accuracy}
        </span>
      )}
      {w.hashrate > 0 ? formatHashrate(w.hashrate) : NONE}
    </>
  );
}

function Rejected({ worker: w }: { worker: WorkerRow }) {
  if (w.rejected === 0) return <span className={styles.none}>0</span>;
  const part = rejectedPart(w);
  return (
    <>
      {formatCount(w.rejected)}{' '}
      <small className={part >= 0.02 ? styles.bad : styles.none}>{formatPercent(part)}</small>
    </>
  );
}
