import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ApiError } from '../../../api/client';
import { Facts } from '../../../components/Facts';
import { Empty, Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Pill } from '../../../components/Pill';
import { StaleNote } from '../../../components/StaleNote';
import { Time } from '../../../components/Time';
import {
  formatCount,
  formatDifficulty,
  formatHashrate,
  formatLatency,
  formatPercent,
  formatPerSecond,
  NONE,
  shortHash,
} from '../../../lib/format';
import { agentQuery } from '../../../scope/queries';
import type { Agent } from '../../../scope/types';
import { delayText, poolText, stateWord } from '../agents/fleet';
import styles from '../agents/AgentsPage.module.css';
import { Page } from '../Page';
import { ChartsPanel } from './ChartsPanel';

/** One agent: where it stands, what it measured, and how that went over time. */
export function AgentPage() {
  const { id } = useParams({ from: '/scope/agents/$id' });
  const { data, error, dataUpdatedAt } = useQuery(agentQuery(id));

  if (!data && error) {
    return (
      <Page title={id}>
        <Panel title="Agent">
          {error instanceof ApiError && error.status === 404 ? (
            <Empty title="This agent is not known (any more)">
              <Link to="/scope/agents">All agents</Link>
            </Empty>
          ) : (
            <Failure error={error} />
          )}
        </Panel>
      </Page>
    );
  }
  const agent = data?.agent;
  const word = agent && stateWord(agent);
  return (
    <Page
      title={id}
      aside={
        <>
          <Link to="/scope/agents">All agents</Link>
          {agent?.report?.region && <Pill>{agent.report.region}</Pill>}
          {word && <Pill tone={word.tone}>{word.text}</Pill>}
        </>
      }
    >
      <div className={styles.stack}>
        <StaleNote error={error} updatedAt={dataUpdatedAt} />
        <ChartsPanel id={id} interval={agent?.report?.interval_s} />
        <div className={styles.columns}>
          <About agent={agent} />
          <Measured agent={agent} />
          <Counters agent={agent} />
          <Panel title="Errors">
            <Errors list={data?.latest.errors} />
          </Panel>
        </div>
      </div>
    </Page>
  );
}

/** Values are left undefined, which shows that they load, until the agent is there. */
function About({ agent: a }: { agent: Agent | undefined }) {
  const r = a?.report;
  return (
    <Panel title="About">
      <Facts
        items={[
          ['Pool', a && poolText(a)],
          ['Mode', a && (r?.mode ?? 'HashScope agent')],
          ['Version', a && (r?.version ?? NONE)],
          ['Started', a && <Time at={r?.started_at} />],
          ['First seen', a && <Time at={a.first_seen} />],
          ['Last seen', a && <Time at={a.received_at} ago />],
          ['Clock off by', a && formatLatency(Math.abs(a.clock_offset_ms ?? NaN))],
          ['Public key', a && <span title={a.public_key}>{shortHash(a.public_key)}</span>],
          ['Relays connected', a && formatCount(r?.relays_connected)],
        ]}
      />
    </Panel>
  );
}

function Measured({ agent: a }: { agent: Agent | undefined }) {
  const r = a?.report;
  const t = a?.tip_delay;
  return (
    <Panel title="Measured">
      <Facts
        items={[
          ['Connect (TCP, TLS)', a && formatLatency(r?.connect_ms ?? undefined)],
          ['Until authorized', a && formatLatency(r?.handshake_ms ?? undefined)],
          ['Submit p50', a && formatLatency(r?.submit_ms?.p50)],
          ['Submit p95', a && formatLatency(r?.submit_ms?.p95)],
          ['Submit p99', a && formatLatency(r?.submit_ms?.p99)],
          ['Slowest submit', a && formatLatency(r?.submit_ms?.max)],
          ['Job delay, median', a && delayText(t?.p50_ms)],
          ['Job delay, last block', a && delayText(t?.last_ms)],
          [
            'Blocks that it saw first',
            a && (t ? `${formatCount(t.first)} of ${formatCount(t.blocks)}` : NONE),
          ],
        ]}
      />
    </Panel>
  );
}

function Counters({ agent: a }: { agent: Agent | undefined }) {
  const r = a?.report;
  const s = a?.stats;
  return (
    <Panel title="Load">
      <Facts
        items={[
          [
            r?.mode === 'mine' ? 'Rate aimed at' : 'Rate, at most',
            a && (
              <>
                {formatPerSecond(r?.load.rate)} {r?.load.ordered && <Pill>ordered</Pill>}
              </>
            ),
          ],
          ['Rate, last minute', a && formatPerSecond(s?.submits_per_second_1min ?? undefined)],
          ...(r?.mode === 'mine'
            ? ([['Hashrate that it takes', formatHashrate(r.load.hashrate)]] as const)
            : []),
          ['Difficulty of the pool', a && formatDifficulty(r?.difficulty ?? undefined)],
          ['Share events received', formatOrWait(s?.share_events_received_total)],
          ['Submitted', formatOrWait(s?.submits_attempted_total)],
          [
            'Accepted',
            a &&
              `${formatCount(s?.submits_accepted_total)}, ${formatPercent(a.accept_rate ?? undefined)}`,
          ],
          ['Rejected', formatOrWait(s?.submits_rejected_total)],
          ...Object.entries(r?.rejects ?? {}).map(
            ([why, count]) => [`Rejected: ${why}`, formatCount(count)] as const,
          ),
          ['Not answered', a && formatCount(r?.unanswered_total)],
          [
            'Waiting',
            a && (r ? `${formatCount(r.queue.waiting)} of ${formatCount(r.queue.limit)}` : NONE),
          ],
          ['Dropped, queue full', a && formatCount(r?.queue.dropped_total)],
          ...Object.entries(r?.refused ?? {}).map(
            ([why, count]) =>
              [`Events refused: ${why.replaceAll('_', ' ')}`, formatCount(count)] as const,
          ),
          ['Telemetry dropped', a && formatCount(r?.telemetry_dropped_total)],
        ]}
      />
    </Panel>
  );
}

function formatOrWait(count: number | undefined): string | undefined {
  return count === undefined ? undefined : formatCount(count);
}

function Errors({ list }: { list: readonly string[] | null | undefined }) {
  if (!list || list.length === 0) return <Empty title="No error in its newest telemetry" />;
  return (
    <ol className={styles.errors}>
      {list.toReversed().map((text, at) => (
        // The list is told anew as a whole, and texts repeat.
        <li key={`${at} ${text}`}>{text}</li>
      ))}
    </ol>
  );
}
