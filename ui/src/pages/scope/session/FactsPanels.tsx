import { CopyableTable } from '../../../components/CopyableTable';
import { Facts } from '../../../components/Facts';
import { Panel } from '../../../components/Panel';
import { Pill } from '../../../components/Pill';
import { Time } from '../../../components/Time';
import {
  formatBytes,
  formatCount,
  formatDifficulty,
  formatHashrate,
  formatLatency,
  formatPercent,
  NONE,
  plural,
} from '../../../lib/format';
import type { Facts as SessionFacts, Quantiles, Session } from '../../../scope/types';
import { auditWord } from '../../../scope/words';
import { poolOf } from '../sessions/list';
import styles from './SessionPage.module.css';

interface PanelsProps {
  facts: SessionFacts | undefined;
}

/** Who is connected to whom, and what they agreed on. */
export function AboutPanel({
  session: s,
  facts: f,
}: PanelsProps & { session: Session | undefined }) {
  return (
    <Panel title="Connection">
      <Facts
        items={[
          ['User agent', s && (s.user_agent ?? 'none told')],
          ['Workers', s && ((s.workers ?? []).join(', ') || 'none yet')],
          ['Miner', s?.peer],
          ['Pool', s && poolOf(s)],
          ['Pool’s address', s && (s.pool_peer ?? NONE)],
          ['Began', s && <Time at={s.first_seen} />],
          ...(s?.ended_at == null
            ? []
            : ([['Ended', <Time key="ended" at={s.ended_at} />]] as const)),
          ['Extranonce1', f && <code>{f.extranonce1 ?? NONE}</code>],
          ['Extranonce2', f && (f.extranonce2_size > 0 ? `${f.extranonce2_size} bytes` : NONE)],
          ['Version mask', f && <code>{f.version_mask ?? 'none'}</code>],
          ['Difficulty', f && formatDifficulty(f.difficulty)],
          ...(f === undefined || f.suggested_difficulty === 0
            ? []
            : ([['Suggested', formatDifficulty(f.suggested_difficulty)]] as const)),
          [
            'Payout address',
            f &&
              (f.payout_address === undefined ? (
                'none in the worker’s name'
              ) : (
                <>
                  <code>{f.payout_address}</code>
                  {f.payout_fraction !== undefined &&
                    `, gets ${formatPercent(f.payout_fraction)} of the coinbase`}
                </>
              )),
          ],
          [
            'Messages',
            f && `${formatCount(f.messages)}, ${formatBytes(f.miner_bytes + f.pool_bytes)}`,
          ],
          [
            'Captured',
            f &&
              (f.complete ? (
                <Pill tone="good">Completely</Pill>
              ) : (
                <Pill tone="warn">
                  {f.gaps > 0
                    ? `${plural(f.gaps, 'gap')}, ${formatBytes(f.lost_bytes)} lost`
                    : 'Not from its first line'}
                </Pill>
              )),
          ],
        ]}
      />
    </Panel>
  );
}

/** Shares: what the pool said, what the audit found, and the work in them. */
export function SharesFacts({ facts: f }: PanelsProps) {
  const shares = f?.shares;
  const verdicts = shares && Object.entries(shares.audit).filter(([, n]) => n > 0);
  return (
    <Panel title="Shares and work">
      <Facts
        items={[
          ['Submitted', shares && formatCount(shares.submitted)],
          [
            'Accepted',
            shares &&
              `${formatCount(shares.accepted)}${shares.accept_rate === null ? '' : `, ${formatPercent(shares.accept_rate)}`}`,
          ],
          ['Rejected', shares && formatCount(shares.rejected)],
          ['Not answered', shares && formatCount(shares.unanswered)],
          [
            'Audit',
            verdicts && (
              <span className={styles.outcomes}>
                {verdicts.length === 0 && NONE}
                {verdicts.map(([audit, n]) => (
                  <Pill key={audit} tone={auditWord(audit).tone}>
                    {auditWord(audit).text} {formatCount(n)}
                  </Pill>
                ))}
              </span>
            ),
          ],
          [
            'Pool and audit disagree',
            shares && (shares.conflicts === 0 ? 'never' : plural(shares.conflicts, 'time')),
          ],
          ['Best share', f && formatDifficulty(f.best_share_difficulty)],
          ['Hashrate, 5 min', f && rate(f.hashrate['5m'].hashes_per_second)],
          ['Hashrate, 1 h', f && rate(f.hashrate['1h'].hashes_per_second)],
          ['Hashrate, session', f && rate(f.hashrate.session.hashes_per_second)],
          [
            'Jobs',
            f &&
              `${formatCount(f.jobs)}, ${formatCount(f.clean_jobs)} clean, ${formatCount(f.empty_jobs)} empty`,
          ],
          ['Difficulty changes', f && formatCount(f.difficulty_changes)],
        ]}
      />
      {shares?.reasons && shares.reasons.length > 0 && (
        <p className={styles.note}>
          Rejected because:{' '}
          {shares.reasons.map((r) => `${r.reason} (${formatCount(r.count)})`).join(', ')}
        </p>
      )}
    </Panel>
  );
}

function rate(hashes: number | null): string {
  return hashes === null ? 'not enough shares yet' : formatHashrate(hashes);
}

/** How fast pool and miner answer each other, as percentiles. */
export function LatencyPanel({ facts: f }: PanelsProps) {
  const rows: [string, Quantiles | undefined][] = [
    ['Share to answer', f?.submit_latency],
    ['Other requests', f?.round_trip],
    ['Clean job to share', f?.notify_to_submit],
  ];
  return (
    <Panel title="Latency">
      <CopyableTable
        className={styles.table}
        caption="Latencies"
        header={['From … to …', 'p50 (ms)', 'p90 (ms)', 'p99 (ms)', 'Max (ms)', 'Count']}
        rows={
          f &&
          rows.map(([name, q]) =>
            q === undefined || q.count === 0
              ? [name]
              : [name, q.p50_ms, q.p90_ms, q.p99_ms, q.max_ms, q.count],
          )
        }
      >
        <caption className="visually-hidden">Latencies as percentiles</caption>
        <thead>
          <tr>
            <th scope="col">From … to …</th>
            <th scope="col">p50</th>
            <th scope="col">p90</th>
            <th scope="col">p99</th>
            <th scope="col">Max</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, q]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{quantile(q, q?.p50_ms)}</td>
              <td>{quantile(q, q?.p90_ms)}</td>
              <td>{quantile(q, q?.p99_ms)}</td>
              <td>{quantile(q, q?.max_ms)}</td>
            </tr>
          ))}
        </tbody>
      </CopyableTable>
      {f?.subscribe_to_notify_ms !== undefined && (
        <p className={styles.note}>
          The first job came {formatLatency(f.subscribe_to_notify_ms)} after the subscription.
        </p>
      )}
    </Panel>
  );
}

function quantile(q: Quantiles | undefined, ms: number | undefined): string {
  return q === undefined || q.count === 0 ? NONE : formatLatency(ms);
}
