import { useQuery } from '@tanstack/react-query';
import { DataTable, type Column } from '../../../components/DataTable';
import { Empty, Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Pill, type Tone } from '../../../components/Pill';
import { Time } from '../../../components/Time';
import { agentsQuery } from '../../../scope/queries';
import type { Agent } from '../../../scope/types';
import { Page } from '../Page';

const tones: Record<string, Tone> = { connected: 'good', reconnecting: 'warn', error: 'bad' };

const columns: Column<Agent>[] = [
  { key: 'id', header: 'Agent', card: 'title', value: (a) => a.agent_id, cell: (a) => a.agent_id },
  {
    key: 'state',
    header: 'State',
    card: 'lead',
    value: (a) => a.conn_state,
    cell: (a) => <Pill tone={tones[a.conn_state] ?? 'neutral'}>{a.conn_state}</Pill>,
  },
  {
    key: 'seen',
    header: 'Last seen',
    card: 'detail',
    numeric: true,
    value: (a) => Date.parse(a.last_seen),
    raw: (a) => a.last_seen,
    cell: (a) => <Time at={a.last_seen} ago />,
  },
];

/** Programs elsewhere that submit the shares of a session again, to test a pool from many places. */
export function AgentsPage() {
  const { data: agents, error } = useQuery(agentsQuery);
  return (
    <Page title="Agents">
      <Panel title="Fleet" flush>
        {agents?.length === 0 ? (
          <Empty title="No agent has reported">
            Agents submit the shares of a session again from other places, to test a pool of your
            own. They appear here by themselves, with their first report.
          </Empty>
        ) : !agents && error ? (
          <Failure error={error} />
        ) : (
          <DataTable
            caption="Agents"
            columns={columns}
            rows={agents}
            rowKey={(a) => a.agent_id}
            initialSort={{ key: 'id', descending: false }}
          />
        )}
      </Panel>
    </Page>
  );
}
