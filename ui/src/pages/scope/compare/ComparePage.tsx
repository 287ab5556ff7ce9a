import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { CopyableTable } from '../../../components/CopyableTable';
import { Empty, Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Pill } from '../../../components/Pill';
import { Skeleton } from '../../../components/Skeleton';
import { Time } from '../../../components/Time';
import {
  formatAmount,
  formatBTC,
  formatCount,
  formatDifficulty,
  formatHashrate,
  formatLatency,
  formatPercent,
  NONE,
  plural,
  shortHash,
} from '../../../lib/format';
import type { Cell } from '../../../lib/tsv';
import { comparisonQuery, decodedQuery, jobsQuery } from '../../../scope/queries';
import type { Comparison, Facts } from '../../../scope/types';
import { closeText, ORIGINS, shortSession, shortWorker } from '../../../scope/words';
import { JobView } from '../job/JobView';
import { Page } from '../Page';
import styles from './ComparePage.module.css';

/** Two sessions side by side: who has the new block first, who pays what. */
export function ComparePage() {
  const { a, b } = useSearch({ from: '/scope/compare' });
  const { data, error } = useQuery({ ...comparisonQuery(a, b), enabled: a !== '' && b !== '' });
  if (a === '' || b === '') {
    return (
      <Page title="Compare">
        <Panel title="Two sessions">
          <Empty title="Choose two sessions">
            Tick two of them in the <Link to="/scope/sessions">list of sessions</Link>.
          </Empty>
        </Panel>
      </Page>
    );
  }
  return (
    <Page title="Compare">
      {!data && error ? (
        <Panel title="Two sessions">
          <Failure error={error} />
        </Panel>
      ) : (
        <div className={styles.stack}>
          <SideBySide data={data} />
          <Race data={data} />
          <div className={styles.columns}>
            <LatestJob id={a} name="A" />
            <LatestJob id={b} name="B" />
          </div>
        </div>
      )}
    </Page>
  );
}

/** A line of the table: what it shows, and what is copied of it. */
type Line = [name: string, value: (f: Facts) => ReactNode, raw: (f: Facts) => Cell];

const LINES: Line[] = [
  ['Worker', (f) => (f.workers?.[0] ? shortWorker(f.workers[0]) : NONE), (f) => f.workers?.[0]],
  ['User agent', (f) => f.user_agent || NONE, (f) => f.user_agent],
  ['Origin', (f) => ORIGINS[f.origin]?.text ?? f.origin, (f) => f.origin],
  [
    'Pool',
    (f) => f.pool || f.pool_peer || 'our own',
    (f) => (f.pool === '' ? f.pool_peer : f.pool),
  ],
  [
    'State',
    (f) => (f.close_reason ? closeText(f.close_reason) : <Pill tone="good">Live</Pill>),
    (f) => f.close_reason ?? 'live',
  ],
  ['Began', (f) => <Time at={f.began_at} />, (f) => new Date(f.began_at)],
  ['Difficulty', (f) => formatDifficulty(f.difficulty), (f) => f.difficulty],
  ['Shares accepted', (f) => formatCount(f.shares.accepted), (f) => f.shares.accepted],
  ['Shares rejected', (f) => formatCount(f.shares.rejected), (f) => f.shares.rejected],
  [
    'Accept rate',
    (f) => formatPercent(f.shares.accept_rate ?? undefined),
    (f) => f.shares.accept_rate ?? undefined,
  ],
  ['Pool and audit disagree', (f) => formatCount(f.shares.conflicts), (f) => f.shares.conflicts],
  [
    'Hashrate, 5 min',
    (f) => hashrate(f.hashrate['5m'].hashes_per_second),
    (f) => f.hashrate['5m'].hashes_per_second ?? undefined,
  ],
  [
    'Hashrate, session',
    (f) => hashrate(f.hashrate.session.hashes_per_second),
    (f) => f.hashrate.session.hashes_per_second ?? undefined,
  ],
  ['Share to answer, p50', (f) => latency(f, 'p50_ms'), (f) => latencyRaw(f, 'p50_ms')],
  ['Share to answer, p99', (f) => latency(f, 'p99_ms'), (f) => latencyRaw(f, 'p99_ms')],
  ['Jobs', (f) => `${formatCount(f.jobs)}, ${formatCount(f.empty_jobs)} empty`, (f) => f.jobs],
  ['Payout address gets', (f) => formatPercent(f.payout_fraction), (f) => f.payout_fraction],
  ['Gaps', (f) => formatCount(f.gaps), (f) => f.gaps],
];

function hashrate(hashes: number | null): string {
  return hashes === null ? NONE : formatHashrate(hashes);
}

function latency(f: Facts, which: 'p50_ms' | 'p99_ms'): string {
  return f.submit_latency.count === 0 ? NONE : formatLatency(f.submit_latency[which]);
}

function latencyRaw(f: Facts, which: 'p50_ms' | 'p99_ms'): Cell {
  return f.submit_latency.count === 0 ? undefined : f.submit_latency[which];
}

function SideBySide({ data }: { data: Comparison | undefined }) {
  return (
    <Panel title="Side by side" flush>
      <div className={styles.scroll}>
        <CopyableTable
          className={styles.table}
          caption="Two sessions side by side"
          header={['', data?.a.session_id ?? '', data?.b.session_id ?? '']}
          rows={
            data && [
              ...LINES.map(([name, , raw]) => [name, raw(data.a), raw(data.b)]),
              [
                'Coinbase of the newest job (sats)',
                data.a_coinbase_value_sat,
                data.b_coinbase_value_sat,
              ],
            ]
          }
        >
          <caption className="visually-hidden">Two sessions side by side</caption>
          <thead>
            <tr>
              <td />
              {(['a', 'b'] as const).map((side) => (
                <th key={side} scope="col">
                  {side.toUpperCase()}{' '}
                  {data && (
                    <Link to="/scope/sessions/$id" params={{ id: data[side].session_id }}>
                      {shortSession(data[side].session_id)}
                    </Link>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {LINES.map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{data ? value(data.a) : <Skeleton />}</td>
                <td>{data ? value(data.b) : <Skeleton />}</td>
              </tr>
            ))}
            <tr>
              <th scope="row">Coinbase of the newest job</th>
              <td>{data ? formatBTC(data.a_coinbase_value_sat) : <Skeleton />}</td>
              <td>
                {data ? (
                  <>
                    {formatBTC(data.b_coinbase_value_sat)}
                    {data.coinbase_value_difference_sat !== 0 &&
                      ` (differs by ${formatAmount(Math.abs(data.coinbase_value_difference_sat))})`}
                  </>
                ) : (
                  <Skeleton />
                )}
              </td>
            </tr>
          </tbody>
        </CopyableTable>
      </div>
    </Panel>
  );
}

/** Who had the new block first. */
function Race({ data }: { data: Comparison | undefined }) {
  const tips = data?.tips ?? [];
  return (
    <Panel
      title="New blocks"
      flush
      aside={
        data && (
          <Pill tone={data.same_tip ? 'good' : 'warn'}>
            {data.same_tip ? 'Both build on the same block' : 'They build on different blocks'}
          </Pill>
        )
      }
    >
      {data && tips.length === 0 ? (
        <Empty title="No block that both had jobs on" />
      ) : (
        <>
          {data && <p className={styles.words}>{raceText(data)}</p>}
          <div className={styles.scroll}>
            <CopyableTable
              className={styles.table}
              caption="First jobs on each block"
              header={['Block', 'On', 'A ahead by (ms)']}
              rows={tips
                .slice(0, 15)
                .map((t) => [t.height < 0 ? undefined : t.height, t.prev_hash, t.difference_ms])}
            >
              <caption className="visually-hidden">First jobs on each block</caption>
              <thead>
                <tr>
                  <th scope="col">Block</th>
                  <th scope="col">On</th>
                  <th scope="col">First</th>
                </tr>
              </thead>
              <tbody>
                {tips.slice(0, 15).map((t) => (
                  <tr key={t.prev_hash}>
                    <td>{t.height < 0 ? '?' : formatCount(t.height)}</td>
                    <td>
                      <code title={t.prev_hash}>{shortHash(t.prev_hash)}</code>
                    </td>
                    <td>
                      {t.difference_ms === 0
                        ? 'together'
                        : `${t.difference_ms > 0 ? 'A' : 'B'} by ${formatLatency(Math.abs(t.difference_ms))}`}
                    </td>
                  </tr>
                ))}
              </tbody>
            </CopyableTable>
          </div>
        </>
      )}
    </Panel>
  );
}

function raceText({ race: r }: Comparison): string {
  if (r.blocks === 0) return 'No new block came to both while they were connected.';
  const mean = Math.abs(r.mean_difference_ms);
  const who = r.mean_difference_ms > 0 ? 'A' : 'B';
  return `Of ${plural(r.blocks, 'new block')} A had ${formatCount(r.a_first)} first and B ${formatCount(r.b_first)}; on average ${who} was ${formatLatency(mean)} ahead, at most ${formatLatency(r.max_difference_ms)} lay between them.`;
}

/** What a pool has its miner work on now. */
function LatestJob({ id, name }: { id: string; name: string }) {
  const { data: jobs } = useQuery(jobsQuery(id, true, 1));
  const message = jobs?.items?.[0]?.message_id;
  const { data } = useQuery({ ...decodedQuery(message ?? ''), enabled: message !== undefined });
  const job = data?.decoded.job;
  return (
    <Panel title={`Newest job of ${name}`}>
      {job ? (
        <JobView job={job} />
      ) : jobs?.items?.length === 0 ? (
        <Empty title="No job yet" />
      ) : (
        <Skeleton width="50%" />
      )}
    </Panel>
  );
}
