import { useView } from '../../api/LiveProvider';
import type { NodeStatus } from '../../api/types';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Pill, type Tone } from '../../components/Pill';
import { Skeleton } from '../../components/Skeleton';
import { formatCount, formatLatency } from '../../lib/format';
import styles from './NodePanel.module.css';

const states: Record<string, { text: string; tone: Tone }> = {
  ready: { text: 'Ready', tone: 'good' },
  connecting: { text: 'Connecting', tone: 'neutral' },
  warming_up: { text: 'Starting up', tone: 'warn' },
  syncing: { text: 'Catching up', tone: 'warn' },
  no_peers: { text: 'Has no peers', tone: 'warn' },
  unreachable: { text: 'Not reachable', tone: 'bad' },
  unauthorized: { text: 'No access', tone: 'bad' },
  wrong_network: { text: 'On another network', tone: 'bad' },
};

export function NodePanel() {
  const { data: status, error } = useView('status');
  const nodes = status?.nodes;
  return (
    <Panel title={nodes && nodes.length > 1 ? 'Bitcoin nodes' : 'Bitcoin node'}>
      {nodes?.length === 0 ? (
        <Empty title="No node is configured" />
      ) : !nodes && error ? (
        <Failure error={error} />
      ) : (
        <ul className={styles.list}>
          {nodes?.map((n) => (
            <Node key={`${n.name} ${n.address}`} node={n} several={nodes.length > 1} />
          )) ?? (
            <li>
              <p>
                <Skeleton width="18ch" />
              </p>
              <p>
                <Skeleton width="26ch" />
              </p>
            </li>
          )}
        </ul>
      )}
    </Panel>
  );
}

function Node({ node, several }: { node: NodeStatus; several: boolean }) {
  const state = states[node.state] ?? { text: node.state, tone: 'neutral' as const };
  return (
    <li>
      <p className={styles.head}>
        <span className={styles.name}>{node.name}</span>
        {node.address !== '' && <code className={styles.address}>{node.address}</code>}
        <Pill tone={state.tone}>{state.text}</Pill>
      </p>
      <p className={styles.words}>{words(node, several)}</p>
    </li>
  );
}

/** The state of a node in a few sentences. */
function words(node: NodeStatus, several: boolean): string {
  const said: string[] = [];
  if (node.reason !== '') said.push(node.reason);
  if (node.height > 0 && node.reason === '') {
    said.push(
      node.headers > node.height
        ? `at block ${formatCount(node.height)} of ${formatCount(node.headers)}`
        : `at block ${formatCount(node.height)}`,
    );
  }
  if (node.latency_ms > 0) said.push(`answers in ${formatLatency(node.latency_ms)}`);
  if (node.state === 'ready') {
    said.push(node.zmq ? 'announces blocks over ZMQ' : 'is asked for new blocks, has no ZMQ');
  }
  if (several && node.state === 'ready')
    said.push(node.active ? 'templates come from here' : 'stands by, and gets every found block');
  if (node.version !== '') said.push(node.version.replaceAll('/', ''));
  const text = said.join(' · ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
