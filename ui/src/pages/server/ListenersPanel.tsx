import { LockKeyhole } from 'lucide-react';
import { useView } from '../../api/LiveProvider';
import type { Listener } from '../../api/types';
import { CopyButton } from '../../components/CopyButton';
import { DataTable, type Column } from '../../components/DataTable';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { formatCount } from '../../lib/format';
import { reachableURL } from '../../lib/stratum';
import styles from './ServerPage.module.css';

const columns: Column<Listener>[] = [
  {
    key: 'url',
    header: 'Address',
    card: 'title',
    raw: (l) => l.url,
    cell: (l) => (
      <span className={styles.address}>
        <code>{l.url}</code>
        <CopyButton
          text={reachableURL(l.url, location.hostname)}
          label={`Copy ${reachableURL(l.url, location.hostname)}`}
        />
      </span>
    ),
  },
  {
    key: 'name',
    header: 'Name',
    card: 'detail',
    raw: (l) => l.name,
    cell: (l) => l.name ?? 'main',
  },
  {
    key: 'tls',
    header: 'Encrypted',
    card: 'detail',
    raw: (l) => l.tls,
    cell: (l) =>
      l.tls ? (
        <span className={styles.tls}>
          <LockKeyhole size={13} aria-hidden="true" /> TLS
        </span>
      ) : (
        'no'
      ),
  },
  {
    key: 'connections',
    header: 'Connections',
    card: 'lead',
    numeric: true,
    raw: (l) => l.connections,
    cell: (l) => formatCount(l.connections),
  },
];

const nameless = columns.filter((c) => c.key !== 'name');

/** Where miners connect to, and how many do. */
export function ListenersPanel() {
  const { data: status, error } = useView('status');
  const listeners = status?.stratum;
  return (
    <Panel title="Listeners" flush>
      {listeners?.length === 0 ? (
        <Empty title="No listener is open">No miner can connect now.</Empty>
      ) : !listeners && error ? (
        <Failure error={error} />
      ) : (
        <DataTable
          caption="Addresses that miners connect to"
          columns={listeners?.some((l) => l.name !== undefined) ? columns : nameless}
          rows={listeners}
          rowKey={(l) => l.url}
          skeletonRows={2}
        />
      )}
    </Panel>
  );
}
