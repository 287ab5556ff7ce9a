import { Facts } from '../../../components/Facts';
import { Empty } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { formatCount } from '../../../lib/format';
import type { Agent } from '../../../scope/types';
import { sumUp } from './fleet';
import styles from './AgentsPage.module.css';

/** Why pools rejected, over all agents, and the newest error of each that has one. */
export function RejectsPanel({ agents }: { agents: readonly Agent[] }) {
  const { reasons } = sumUp(agents);
  const errors = agents.filter((a) => a.last_error !== null);
  return (
    <Panel title="Rejects and errors">
      {reasons.length === 0 && errors.length === 0 && <Empty title="Nothing rejected, no error" />}
      <Facts items={reasons.map(([why, count]) => [why, formatCount(count)] as const)} />
      {errors.length > 0 && (
        <ul className={styles.errors} aria-label="Newest errors">
          {errors.map((a) => (
            <li key={a.agent_id}>
              <b>{a.agent_id}</b> {a.last_error}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
