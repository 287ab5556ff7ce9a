import { Link } from '@tanstack/react-router';
import { DataTable, type Column } from '../../../components/DataTable';
import { Pill } from '../../../components/Pill';
import { Time } from '../../../components/Time';
import { formatCount, formatLatency, formatPercent, NONE } from '../../../lib/format';
import type { Agent } from '../../../scope/types';
import { delayText, poolText, stateWord } from './fleet';
import styles from './AgentsPage.module.css';

/** A measured time; agents that have none sort after all others. */
function milliseconds(
  key: string,
  header: string,
  measured: (a: Agent) => number | null | undefined,
): Column<Agent> {
  return {
    key,
    header,
    card: 'detail',
    numeric: true,
    unit: 'ms',
    value: (a) => measured(a) ?? -1,
    raw: (a) => measured(a),
    cell: (a) => formatLatency(measured(a) ?? undefined),
  };
}

const regionText = ({ report }: Agent) => (report && report.region !== '' ? report.region : NONE);

const columns: Column<Agent>[] = [
  {
    key: 'id',
    header: 'Agent',
    card: 'title',
    value: (a) => a.agent_id,
    cell: (a) => (
      <span className={styles.agent} data-silent={a.state === 'silent'}>
        <Link to="/scope/agents/$id" params={{ id: a.agent_id }}>
          {a.agent_id}
        </Link>
        <small>{a.report ? `${a.report.mode} · ${a.report.version}` : 'HashScope agent'}</small>
      </span>
    ),
  },
  {
    key: 'state',
    header: 'State',
    card: 'lead',
    value: (a) => stateWord(a).text,
    cell: (a) => {
      const { text, tone } = stateWord(a);
      return <Pill tone={tone}>{text}</Pill>;
    },
  },
  {
    key: 'region',
    header: 'Region',
    card: 'detail',
    value: (a) => a.report?.region ?? '',
    cell: (a) => regionText(a),
  },
  { key: 'pool', header: 'Pool', card: 'detail', value: poolText, cell: poolText },
  milliseconds('connect', 'Connect', (a) => a.report?.connect_ms),
  milliseconds('p50', 'Submit p50', (a) => a.report?.submit_ms?.p50),
  milliseconds('p95', 'p95', (a) => a.report?.submit_ms?.p95),
  milliseconds('p99', 'p99', (a) => a.report?.submit_ms?.p99),
  {
    key: 'accepted',
    header: 'Accepted',
    card: 'detail',
    numeric: true,
    value: (a) => a.accept_rate ?? -1,
    raw: (a) => a.accept_rate,
    cell: (a) => (
      <span
        title={`${formatCount(a.stats.submits_accepted_total)} accepted, ${formatCount(a.stats.submits_rejected_total)} rejected`}
      >
        {formatPercent(a.accept_rate ?? undefined)}
      </span>
    ),
  },
  {
    key: 'delay',
    header: 'Job delay',
    card: 'detail',
    numeric: true,
    unit: 'ms',
    value: (a) => a.tip_delay?.p50_ms ?? -1,
    raw: (a) => a.tip_delay?.p50_ms,
    cell: (a) => (
      <span
        title={
          a.tip_delay &&
          `Median of ${formatCount(a.tip_delay.blocks)} blocks; it was first at ${formatCount(a.tip_delay.first)}`
        }
      >
        {delayText(a.tip_delay?.p50_ms)}
      </span>
    ),
  },
  {
    key: 'seen',
    header: 'Last seen',
    card: 'detail',
    numeric: true,
    value: (a) => Date.parse(a.received_at),
    raw: (a) => new Date(a.received_at),
    cell: (a) => <Time at={a.received_at} ago />,
  },
];

/** All agents, one a line, with what they measured. */
export function AgentTable({ agents }: { agents: readonly Agent[] | undefined }) {
  return (
    <DataTable
      caption="Agents"
      columns={columns}
      rows={agents}
      rowKey={(a) => a.agent_id}
      initialSort={{ key: 'id', descending: false }}
    />
  );
}
