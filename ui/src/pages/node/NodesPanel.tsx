import { useView } from '../../api/LiveProvider';
import type { NodeStatus } from '../../api/types';
import { DataTable, type Column } from '../../components/DataTable';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Pill } from '../../components/Pill';
import { formatCount, formatLatency, NONE, sentence } from '../../lib/format';
import styles from './NodePage.module.css';
import { nodeState } from './words';

const columns: Column<NodeStatus>[] = [
  {
    key: 'name',
    header: 'Node',
    card: 'title',
    raw: (n) => n.name,
    cell: (n) => (
      <span className={styles.name}>
        {n.name}
        {n.address !== '' && <code>{n.address}</code>}
      </span>
    ),
  },
  {
    key: 'state',
    header: 'State',
    card: 'lead',
    raw: (n) => n.state,
    cell: (n) => <Pill tone={nodeState(n.state).tone}>{nodeState(n.state).text}</Pill>,
  },
  {
    key: 'role',
    header: 'Part',
    card: 'detail',
    raw: (n) => role(n),
    cell: (n) => (n.active ? <Pill tone="good">Templates</Pill> : role(n)),
  },
  {
    key: 'height',
    header: 'Block',
    card: 'detail',
    numeric: true,
    raw: (n) => n.height,
    cell: (n) =>
      n.headers > n.height
        ? `${formatCount(n.height)} of ${formatCount(n.headers)}`
        : n.height > 0
          ? formatCount(n.height)
          : NONE,
  },
  {
    key: 'latency',
    header: 'Answers in',
    card: 'detail',
    numeric: true,
    raw: (n) => (n.latency_ms > 0 ? n.latency_ms : undefined),
    unit: 'ms',
    cell: (n) => formatLatency(n.latency_ms),
  },
  {
    key: 'zmq',
    header: 'ZMQ',
    card: 'detail',
    raw: (n) => n.zmq,
    cell: (n) => (n.zmq ? 'yes' : 'no'),
  },
  {
    key: 'version',
    header: 'Version',
    card: 'detail',
    raw: (n) => n.version,
    cell: (n) => (n.version === '' ? NONE : n.version.replaceAll('/', '')),
  },
];

/** What the pool uses a node for. */
function role(node: NodeStatus): string {
  if (node.active) return 'templates';
  return node.state === 'ready' ? 'stands by' : 'not used';
}

/** Every configured node, in order of preference. */
export function NodesPanel() {
  const { data: status, error } = useView('status');
  const nodes = status?.nodes;
  return (
    <Panel title={nodes?.length === 1 ? 'Configured node' : 'Configured nodes'} flush>
      {nodes?.length === 0 ? (
        <Empty title="No node is configured">
          The pool has nobody to take work from. Name one under <code>[[node]]</code> in the
          configuration.
        </Empty>
      ) : !nodes && error ? (
        <Failure error={error} />
      ) : (
        <>
          <DataTable
            caption="Configured Bitcoin nodes, in order of preference"
            columns={columns}
            rows={nodes}
            rowKey={(n) => `${n.name} ${n.address}`}
            skeletonRows={1}
          />
          {nodes && <Words nodes={nodes} />}
        </>
      )}
    </Panel>
  );
}

/** What is wrong with nodes, and how they share the work, in sentences. */
function Words({ nodes }: { nodes: NodeStatus[] }) {
  const troubled = nodes.filter((n) => n.state !== 'ready' || n.reason !== '');
  return (
    <div className={styles.words}>
      {troubled.map((n) => (
        <p key={`${n.name} ${n.address}`} data-tone={nodeState(n.state).tone}>
          <b>{n.name}</b> {n.reason !== '' && sentence(n.reason)}{' '}
          {n.state !== 'ready' && nodeState(n.state).meaning}
        </p>
      ))}
      <p>
        {nodes.some((n) => n.active)
          ? nodes.length > 1
            ? 'The first that is ready gives the templates; the next one takes over by itself. Every ready node gets every found block.'
            : 'It gives the templates and gets every found block. A second node would take over when it fails.'
          : 'No node gives templates now. Miners keep their last work while it is good; new work comes by itself as soon as a node is ready.'}
      </p>
      {nodes.some((n) => n.state === 'ready' && !n.zmq) && (
        <p>
          Without ZMQ a node is asked for new blocks again and again, which notices them later. Set{' '}
          <code>zmqpubhashblock</code> in its configuration.
        </p>
      )}
    </div>
  );
}
