import { Empty, Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { useAgents } from '../../../scope/useAgents';
import { Page } from '../Page';
import { AgentTable } from './AgentTable';
import styles from './AgentsPage.module.css';
import { FleetFigures } from './FleetFigures';
import { LiveWord } from './LiveWord';
import { OrderPanel } from './OrderPanel';
import { RejectsPanel } from './RejectsPanel';
import { RunPanel } from './RunPanel';
import { StartHint } from './StartHint';
import { WorldMap } from './WorldMap';

/** Programs elsewhere that test a pool of one's own from where they are. */
export function AgentsPage() {
  const { agents, error, live, retryNow } = useAgents();
  return (
    <Page title="Agents" aside={<LiveWord live={live} onRetry={retryNow} />}>
      <div className={styles.stack}>
        <FleetFigures agents={agents} />
        <Panel title="Fleet" flush>
          {agents?.length === 0 ? (
            <Empty title="No agent has reported">
              <StartHint />
            </Empty>
          ) : !agents && error ? (
            <Failure error={error} />
          ) : (
            <AgentTable agents={agents} />
          )}
        </Panel>
        <div className={styles.columns}>
          {agents && agents.length > 0 && (
            <>
              <Panel title="Where they are">
                <WorldMap agents={agents} />
              </Panel>
              <OrderPanel agents={agents} />
              <RejectsPanel agents={agents} />
            </>
          )}
          <RunPanel />
          {agents && agents.length > 0 && (
            <Panel title="Start another">
              <StartHint />
            </Panel>
          )}
        </div>
      </div>
    </Page>
  );
}
