import { Link } from '@tanstack/react-router';
import { useView } from '../../api/LiveProvider';
import type { NodeStatus } from '../../api/types';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Pill } from '../../components/Pill';
import { Skeleton } from '../../components/Skeleton';
import { nodeState, nodeWords } from '../node/words';
import styles from './NodePanel.module.css';

export function NodePanel() {
  const { data: status, error } = useView('status');
  const nodes = status?.nodes;
  return (
    <Panel
      title={nodes && nodes.length > 1 ? 'Bitcoin nodes' : 'Bitcoin node'}
      aside={<Link to="/node">Chain and peers</Link>}
    >
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
  const state = nodeState(node.state);
  return (
    <li>
      <p className={styles.head}>
        <span className={styles.name}>{node.name}</span>
        {node.address !== '' && <code className={styles.address}>{node.address}</code>}
        <Pill tone={state.tone}>{state.text}</Pill>
      </p>
      <p className={styles.words}>{nodeWords(node, several)}</p>
    </li>
  );
}
