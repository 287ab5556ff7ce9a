import { useView } from '../../api/LiveProvider';
import type { MinerType } from '../../api/types';
import { DataTable, type Column } from '../../components/DataTable';
import { Empty, Failure } from '../../components/Message';
import { Meter } from '../../components/Meter';
import { Panel } from '../../components/Panel';
import { formatCount } from '../../lib/format';
import styles from './TypesPanel.module.css';

type Key = 'name' | 'part' | 'versions' | 'workers';

/** Versions named of each type; there may be one for every miner. */
const NAMED = 4;

function columns(all: number): Column<MinerType, Key>[] {
  return [
    {
      key: 'name',
      header: 'Type',
      card: 'title',
      value: (t) => t.name,
      cell: (t) => <span className={styles.name}>{t.name}</span>,
    },
    {
      key: 'versions',
      header: 'Versions',
      card: 'detail',
      raw: (t) => t.versions.map((v) => `${v.version ?? '?'} × ${v.workers}`).join(', '),
      cell: (t) => <Versions type={t} />,
    },
    {
      key: 'part',
      header: 'Part',
      card: 'detail',
      raw: false,
      cell: (t) => <Meter part={t.total_workers / Math.max(all, 1)} />,
    },
    {
      key: 'workers',
      header: 'Workers',
      card: 'lead',
      numeric: true,
      value: (t) => t.total_workers,
      cell: (t) => formatCount(t.total_workers),
    },
  ];
}

/** What kinds of miners there are, by what they say of themselves. */
export function TypesPanel() {
  const { data: overview, error } = useView('overview');
  const types = overview && (overview.miner_types ?? []);
  const all = types?.reduce((sum, t) => sum + t.total_workers, 0) ?? 0;
  return (
    <Panel title="Miners by type" flush>
      {types?.length === 0 ? (
        <Empty title="No miner has said what it is">
          Most tell their make and version when they connect.
        </Empty>
      ) : !types && error ? (
        <Failure error={error} />
      ) : (
        <DataTable
          caption="Miners by type"
          columns={columns(all)}
          rows={types}
          rowKey={(t) => t.name}
          initialSort={{ key: 'workers', descending: true }}
          skeletonRows={2}
        />
      )}
    </Panel>
  );
}

function Versions({ type }: { type: MinerType }) {
  const named = type.versions.filter((v) => v.version !== undefined && v.version !== '');
  const shown = named.slice(0, NAMED);
  if (shown.length === 0) return <span className={styles.more}>not told</span>;
  return (
    <span className={styles.versions}>
      {shown.map((v) => (
        <span key={v.version}>
          {v.version}
          {named.length > 1 && <small> × {formatCount(v.workers)}</small>}
        </span>
      ))}
      {named.length > shown.length && (
        <span className={styles.more}>and {formatCount(named.length - shown.length)} more</span>
      )}
    </span>
  );
}
