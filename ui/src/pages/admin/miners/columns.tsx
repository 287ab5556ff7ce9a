import { Link } from '@tanstack/react-router';
import { Cable, ShieldCheck } from 'lucide-react';
import type { ReactNode } from 'react';
import { PlainText } from '../../../components/PlainText';
import { Time } from '../../../components/Time';
import type { VirtualColumn } from '../../../components/VirtualTable';
import {
  formatCount,
  formatDifficulty,
  formatHashrate,
  formatPercent,
  NONE,
  parseTime,
} from '../../../lib/format';
import { toTSV, type Cell } from '../../../lib/tsv';
import { workerId } from '../../../lib/workerKey';
import { splitWorker } from '../../../lib/workerName';
import { shortWorker } from '../../../scope/words';
import { rejectedPart } from '../../workers/columns';
import type { Miner } from './api';
import styles from './MinersPage.module.css';

/** Part of the points that a connection is dropped at from which on it is worth a look. */
const WORTH_A_LOOK = 0.2;

export function minerColumns(
  strikeLimit: number,
  actions: (miner: Miner) => ReactNode,
): readonly VirtualColumn<Miner>[] {
  return [
    {
      key: 'worker',
      header: 'Worker',
      width: 170,
      grows: true,
      value: (m) => m.worker,
      cell: (m) => <WorkerCell miner={m} />,
    },
    {
      key: 'remote',
      header: 'From',
      width: 136,
      value: (m) => m.remote,
      cell: (m) => <Remote miner={m} />,
    },
    {
      key: 'agent',
      header: 'Miner',
      width: 108,
      rank: 6,
      value: (m) => m.user_agent,
      cell: (m) => <Agent miner={m} />,
    },
    {
      key: 'hashrate',
      header: 'Hashrate',
      width: 86,
      numeric: true,
      value: (m) => m.hashrate,
      cell: (m) => <strong>{formatHashrate(m.hashrate)}</strong>,
    },
    {
      key: 'difficulty',
      header: 'Difficulty',
      width: 68,
      rank: 7,
      numeric: true,
      value: (m) => m.difficulty,
      cell: (m) => formatDifficulty(m.difficulty),
    },
    {
      key: 'accepted',
      header: 'Accepted',
      width: 66,
      rank: 8,
      numeric: true,
      value: (m) => m.accepted,
      cell: (m) => formatCount(m.accepted),
    },
    {
      key: 'rejected',
      header: 'Rejected',
      width: 66,
      rank: 4,
      numeric: true,
      value: rejectedPart,
      cell: (m) => <Rejected miner={m} />,
    },
    {
      key: 'strikes',
      header: 'Strikes',
      width: 58,
      rank: 3,
      numeric: true,
      value: (m) => m.strikes,
      cell: (m) => <Strikes miner={m} limit={strikeLimit} />,
    },
    {
      key: 'connected',
      header: 'Connected',
      width: 100,
      rank: 5,
      numeric: true,
      value: (m) => parseTime(m.connected_at) ?? 0,
      cell: (m) => <Time at={m.connected_at} ago />,
    },
    {
      key: 'note',
      header: 'Note',
      width: 96,
      rank: 2,
      grows: true,
      value: (m) => m.note ?? '',
      cell: (m) => <Note miner={m} />,
    },
    { key: 'actions', header: 'Actions', width: 124, actions: true, cell: actions },
  ];
}

/** What a card and the sort list are made of, where there are no columns. */
export function MinerCard(props: { miner: Miner; strikeLimit: number; actions: ReactNode }) {
  const { miner: m, strikeLimit, actions } = props;
  return (
    <div className={styles.card}>
      <span className={styles.cardName}>
        <WorkerCell miner={m} />
      </span>
      <strong className={styles.cardRate}>{formatHashrate(m.hashrate)}</strong>
      <span className={styles.cardLine}>
        <Remote miner={m} />
        <span className={styles.cut}>
          <Agent miner={m} />
        </span>
        <Time at={m.connected_at} ago />
      </span>
      <span className={styles.cardLine}>
        <span>
          {formatCount(m.accepted)} <i>accepted</i>
        </span>
        <span>
          <Rejected miner={m} /> <i>rejected</i>
        </span>
        <span>
          <Strikes miner={m} limit={strikeLimit} /> <i>strikes</i>
        </span>
      </span>
      <span className={styles.cardLine}>
        <span className={styles.cut}>
          <Note miner={m} />
        </span>
        {actions}
      </span>
    </div>
  );
}

function WorkerCell({ miner }: { miner: Miner }) {
  if (miner.worker === '') return <span className={styles.faint}>not signed in</span>;
  return (
    <span className={styles.worker}>
      <Link
        to="/workers/$id"
        params={{ id: workerId(miner.worker) }}
        className={styles.name}
        title={miner.worker}
        preload={false}
      >
        <Name name={shortWorker(miner.worker)} />
      </Link>
      {miner.scope_session !== undefined && (
        <Link
          to="/scope/sessions/$id"
          params={{ id: miner.scope_session }}
          className={styles.wire}
          preload={false}
          aria-label="Its messages in the scope"
          title="Its messages in the scope"
        >
          <Cable size={14} aria-hidden="true" />
        </Link>
      )}
    </span>
  );
}

/** The rig is what people know it by; the address gives way first. */
function Name({ name }: { name: string }) {
  const { address, rig } = splitWorker(name);
  if (rig === undefined) return <PlainText text={name} />;
  return (
    <>
      <span className={styles.rig}>
        <PlainText text={rig} />
      </span>
      <span className={styles.of}>
        <PlainText text={address} />
      </span>
    </>
  );
}

function Remote({ miner }: { miner: Miner }) {
  return (
    <span className={styles.remote}>
      <code title={miner.remote}>{miner.remote}</code>
      {miner.tls && (
        <span title="Encrypted (TLS)" className={styles.tls}>
          <ShieldCheck size={13} aria-label="TLS" />
        </span>
      )}
    </span>
  );
}

function Agent({ miner }: { miner: Miner }) {
  if (miner.user_agent === '') return NONE;
  return (
    <span title={miner.user_agent}>
      <PlainText text={miner.user_agent} />
    </span>
  );
}

function Rejected({ miner }: { miner: Miner }) {
  return (
    <span
      className={rejectedPart(miner) >= 0.02 ? styles.bad : undefined}
      title={`${formatCount(miner.rejected)} shares`}
    >
      {formatPercent(rejectedPart(miner))}
    </span>
  );
}

function Strikes({ miner, limit }: { miner: Miner; limit: number }) {
  const worth = limit > 0 && miner.strikes >= limit * WORTH_A_LOOK;
  return (
    <span
      className={worth ? styles.bad : undefined}
      title={`Points for lines and shares that cannot be right${
        limit > 0 ? `; at ${formatCount(limit)} it is dropped` : ''
      }`}
    >
      {miner.strikes > 0 && miner.strikes < 1 ? '< 1' : formatCount(miner.strikes)}
    </span>
  );
}

function Note({ miner }: { miner: Miner }) {
  const note = miner.note ?? '';
  if (note === '') return null;
  return (
    <span title={note} className={styles.note}>
      <PlainText text={note} />
    </span>
  );
}

const FIELDS: readonly [string, (m: Miner) => Cell][] = [
  ['Connection', (m) => m.id],
  ['Worker', (m) => m.worker],
  ['Payout address', (m) => m.address],
  ['From', (m) => m.remote],
  ['Miner', (m) => m.user_agent],
  ['TLS', (m) => m.tls],
  ['Connected', (m) => new Date(m.connected_at)],
  ['Hashrate (H/s)', (m) => m.hashrate],
  ['Difficulty', (m) => m.difficulty],
  ['Accepted', (m) => m.accepted],
  ['Rejected', (m) => m.rejected],
  ['Strikes', (m) => m.strikes],
  ['Note', (m) => m.note],
  ['Scope session', (m) => m.scope_session],
];

/** Connections with all that is known of them, for a spreadsheet. */
export function minersTSV(miners: readonly Miner[]): string {
  return toTSV(
    FIELDS.map(([header]) => header),
    miners.map((m) => FIELDS.map(([, value]) => value(m))),
  );
}
