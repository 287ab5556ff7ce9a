import type { NodePage, NodePeer } from '../../api/pages';
import { DataTable, type Column } from '../../components/DataTable';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Time } from '../../components/Time';
import { formatCount, formatLatency } from '../../lib/format';
import styles from './NodePage.module.css';

type Key = 'peer' | 'ping' | 'since';

const iso = (seconds: number) => (seconds > 0 ? new Date(seconds * 1000).toISOString() : undefined);

const columns: Column<NodePeer, Key>[] = [
  {
    key: 'peer',
    header: 'Peer',
    card: 'title',
    value: (p) => p.display,
    cell: (p) => <code>{p.display}</code>,
  },
  {
    key: 'ping',
    header: 'Latency',
    card: 'lead',
    numeric: true,
    // Who has not answered a ping yet goes last, not first.
    value: (p) => (p.ping_ms > 0 ? p.ping_ms : Infinity),
    raw: (p) => (p.ping_ms > 0 ? p.ping_ms : undefined),
    unit: 'ms',
    cell: (p) => formatLatency(p.ping_ms),
  },
  {
    key: 'since',
    header: 'Connected',
    card: 'detail',
    numeric: true,
    value: (p) => p.connected_at,
    raw: (p) => iso(p.connected_at),
    cell: (p) => <Time at={iso(p.connected_at)} ago />,
  },
];

/** Whom the node is connected to. */
export function PeersPanel({ page, error }: { page: NodePage | undefined; error: unknown }) {
  const peers = page && (page.node_peers ?? []);
  return (
    <Panel
      title="Peers of the node"
      flush
      aside={
        page && page.node_connections > 0 ? (
          <span className={styles.aside}>
            {formatCount(page.node_connections_in)} in, {formatCount(page.node_connections_out)} out
          </span>
        ) : undefined
      }
    >
      {peers?.length === 0 ? (
        <Empty title={page?.node_blocks === 0 ? 'Nothing known yet' : 'No peer is connected'}>
          {page?.node_network === 'regtest'
            ? 'On regtest a node needs none: its chain is its own.'
            : 'A node without peers hears of no block, and nobody hears of its own. Look at its network connection.'}
        </Empty>
      ) : !peers && error ? (
        <Failure error={error} />
      ) : (
        <>
          <DataTable
            caption="Peers of the Bitcoin node"
            columns={columns}
            rows={peers}
            // Two peers may come from one address behind a router.
            rowKey={(p) => `${p.display} ${p.connected_at} ${p.ping_ms}`}
            initialSort={{ key: 'ping', descending: false }}
            skeletonRows={6}
          />
          {page && peers && page.node_connections > peers.length && (
            <p className={styles.more}>
              {peers.length} of {formatCount(page.node_connections)} connections.
            </p>
          )}
        </>
      )}
    </Panel>
  );
}
