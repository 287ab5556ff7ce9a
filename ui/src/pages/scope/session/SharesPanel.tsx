import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { DataTable, type Column } from '../../../components/DataTable';
import { Empty, Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Pill } from '../../../components/Pill';
import {
  formatDifficulty,
  formatLatency,
  formatPreciseClock,
  formatUTC,
  NONE,
} from '../../../lib/format';
import { sharesQuery } from '../../../scope/queries';
import type { AuditedShare } from '../../../scope/types';
import { auditWord, conflictText, poolWord } from '../../../scope/words';
import styles from './SessionPage.module.css';
import { ShowMore } from './ShowMore';

const STEP = 20;
const MOST = 1000;

const columns: Column<AuditedShare>[] = [
  {
    key: 'at',
    header: 'Received',
    card: 'title',
    value: (s) => s.n,
    raw: (s) => s.received_at,
    cell: (s) => (
      <Link
        to="/scope/messages"
        search={{ session: s.message_id.slice(0, s.message_id.lastIndexOf('-')), m: s.message_id }}
        title={formatUTC(Date.parse(s.received_at))}
      >
        {formatPreciseClock(Date.parse(s.received_at))}
      </Link>
    ),
  },
  {
    key: 'audit',
    header: 'Audit',
    card: 'lead',
    value: (s) => s.audit,
    cell: (s) => (
      <span title={auditWord(s.audit).meaning}>
        <Pill tone={auditWord(s.audit).tone}>{auditWord(s.audit).text}</Pill>
      </span>
    ),
  },
  {
    key: 'pool',
    header: 'Pool',
    card: 'detail',
    value: (s) => s.pool,
    cell: (s) => (
      <>
        <Pill tone={poolWord(s.pool).tone}>{poolWord(s.pool).text}</Pill>
        {s.reason !== '' && ` ${s.reason}`}
        {s.conflict !== '' && <b className={styles.conflict}> {conflictText(s.conflict)}</b>}
        {s.replayed && <> (replay)</>}
      </>
    ),
  },
  {
    key: 'difficulty',
    header: 'True difficulty',
    card: 'detail',
    numeric: true,
    value: (s) => s.difficulty,
    raw: (s) => (s.difficulty > 0 ? s.difficulty : undefined),
    cell: (s) => (s.difficulty > 0 ? formatDifficulty(s.difficulty) : NONE),
  },
  {
    key: 'target',
    header: 'Asked for',
    card: 'detail',
    numeric: true,
    value: (s) => s.target_difficulty,
    raw: (s) => (s.target_difficulty > 0 ? s.target_difficulty : undefined),
    cell: (s) => (s.target_difficulty > 0 ? formatDifficulty(s.target_difficulty) : NONE),
  },
  {
    key: 'latency',
    header: 'Latency',
    card: 'detail',
    numeric: true,
    value: (s) => s.latency_ms ?? -1,
    raw: (s) => s.latency_ms,
    unit: 'ms',
    cell: (s) => formatLatency(s.latency_ms ?? undefined),
  },
  {
    key: 'job',
    header: 'Job',
    card: 'detail',
    value: (s) => s.job_id,
    cell: (s) => <code>{s.job_id}</code>,
  },
];

/** Every share with what pool and audit say of it. */
export function SharesPanel({ id, live }: { id: string; live: boolean }) {
  const [most, setMost] = useState(STEP);
  const { data: page, error } = useQuery(sharesQuery(id, live, most));
  return (
    <Panel title="Shares" flush>
      {page?.items?.length === 0 ? (
        <Empty title="No share yet" />
      ) : !page && error ? (
        <Failure error={error} />
      ) : (
        <>
          <DataTable
            caption="Shares, newest first"
            columns={columns}
            rows={page?.items ?? undefined}
            rowKey={(s) => s.message_id}
            initialSort={{ key: 'at', descending: true }}
          />
          {page && page.next > 0 && <ShowMore most={most} limit={MOST} onMore={setMost} />}
        </>
      )}
    </Panel>
  );
}
