import { Link } from '@tanstack/react-router';
import type { Worker, WorkerConnection } from '../../api/workers';
import { DataTable, type Column } from '../../components/DataTable';
import { Empty } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Pill } from '../../components/Pill';
import { Time } from '../../components/Time';
import { formatCount, formatDifficulty, formatLatency, NONE, parseTime } from '../../lib/format';
import styles from './WorkerPage.module.css';

type Key = 'agent' | 'since' | 'difficulty' | 'p50' | 'p95' | 'extranonce' | 'remote' | 'wire';

/** A worker's open connections: how far away each is, and what went over it. */
export function ConnectionsPanel({ worker }: { worker: Worker | undefined }) {
  const list = worker?.connections_list;
  const hidden = worker ? worker.connections - worker.connections_list.length : 0;
  return (
    <Panel title="Connections" flush>
      {list?.length === 0 ? (
        <Empty title="Not connected">
          Last seen <Time at={worker?.last_seen} ago />.
        </Empty>
      ) : (
        <>
          <DataTable
            caption="Open connections, newest first"
            columns={
              worker?.operator === true ? columns : columns.filter((c) => c.key !== 'remote')
            }
            rows={list}
            rowKey={(c) => c.id}
            initialSort={{ key: 'since', descending: true }}
            skeletonRows={1}
          />
          {hidden > 0 && (
            <p className={styles.more}>and {formatCount(hidden)} older ones that are not listed</p>
          )}
        </>
      )}
    </Panel>
  );
}

const columns: Column<WorkerConnection, Key>[] = [
  {
    key: 'agent',
    header: 'Miner',
    card: 'title',
    value: (c) => c.user_agent,
    cell: (c) => (
      <>
        {c.user_agent === '' ? 'does not say' : c.user_agent} {c.tls && <Pill>TLS</Pill>}
      </>
    ),
  },
  {
    key: 'since',
    header: 'Connected',
    card: 'detail',
    value: (c) => parseTime(c.connected_at) ?? 0,
    raw: (c) => new Date(c.connected_at),
    cell: (c) => <Time at={c.connected_at} ago />,
  },
  {
    key: 'difficulty',
    header: 'Difficulty',
    card: 'lead',
    numeric: true,
    value: (c) => c.difficulty,
    cell: (c) => formatDifficulty(c.difficulty),
  },
  {
    key: 'p50',
    header: 'Ping, median',
    card: 'detail',
    numeric: true,
    unit: 'ms',
    value: (c) => c.ping_p50_ms ?? -1,
    raw: (c) => c.ping_p50_ms,
    cell: (c) => formatLatency(c.ping_p50_ms),
  },
  {
    key: 'p95',
    header: 'Ping, 95 %',
    card: 'detail',
    numeric: true,
    unit: 'ms',
    value: (c) => c.ping_p95_ms ?? -1,
    raw: (c) => c.ping_p95_ms,
    cell: (c) => formatLatency(c.ping_p95_ms),
  },
  {
    key: 'extranonce',
    header: 'Extranonce1',
    card: 'detail',
    value: (c) => c.extranonce1,
    cell: (c) => <code>{c.extranonce1}</code>,
  },
  {
    key: 'remote',
    header: 'From',
    card: 'detail',
    value: (c) => c.remote ?? '',
    cell: (c) => <code>{c.remote ?? NONE}</code>,
  },
  {
    key: 'wire',
    header: 'Wire',
    card: 'detail',
    raw: false,
    cell: (c) =>
      c.scope_session === undefined ? (
        <span title="The tap does not see this connection">{NONE}</span>
      ) : (
        <Link to="/scope/sessions/$id" params={{ id: c.scope_session }}>
          What was said
        </Link>
      ),
  },
];
