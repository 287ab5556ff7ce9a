import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Columns2, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../../components/Button';
import { DataTable, type Column } from '../../../components/DataTable';
import { Field } from '../../../components/Field';
import { Empty, Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Pill } from '../../../components/Pill';
import { Segmented } from '../../../components/Segmented';
import { Time } from '../../../components/Time';
import { WorkerName } from '../../../components/WorkerName';
import {
  formatCount,
  formatDifficulty,
  formatHashrate,
  formatLatency,
  formatPercent,
  NONE,
  plural,
} from '../../../lib/format';
import { MOST_SESSIONS, sessionsQuery, settingsQuery } from '../../../scope/queries';
import type { Session } from '../../../scope/types';
import { closeText, ORIGINS, shortSession, shortWorker } from '../../../scope/words';
import { Page } from '../Page';
import { BroadcastSwitch } from '../session/Broadcast';
import { filterSessions, poolOf, type Origin, type State } from './list';
import styles from './SessionsPage.module.css';

/** Rows that are drawn at first, and each time that more are asked for. */
const STEP = 200;

type Key =
  | 'pick'
  | 'miner'
  | 'state'
  | 'pool'
  | 'difficulty'
  | 'shares'
  | 'hashrate'
  | 'latency'
  | 'messages'
  | 'began'
  | 'broadcast';

/** Every connection of a miner, those that are open and those that were. */
export function SessionsPage() {
  const { data: sessions, error } = useQuery(sessionsQuery);
  const [state, setState] = useState<State>('all');
  const [origin, setOrigin] = useState<Origin>('all');
  const [text, setText] = useState('');
  const [most, setMost] = useState(STEP);
  const [picked, setPicked] = useState<readonly string[]>([]);

  const found = sessions && filterSessions(sessions, { state, origin, text });
  const pick = (id: string) => {
    setPicked((now) => (now.includes(id) ? now.filter((p) => p !== id) : [...now, id].slice(-2)));
  };
  const [a, b] = picked;
  const live = sessions?.filter((s) => s.live).length;

  return (
    <Page
      title="Sessions"
      aside={
        sessions && (
          <span>
            {plural(live ?? 0, 'open connection')}, {formatCount(sessions.length - (live ?? 0))}{' '}
            ended
          </span>
        )
      }
    >
      <div className={styles.filters}>
        <Field label="Search sessions" hidden>
          <input
            type="search"
            className={styles.search}
            placeholder="Worker, user agent, address, pool…"
            value={text}
            onChange={(event) => {
              setText(event.target.value);
            }}
          />
        </Field>
        <Segmented
          legend="State"
          options={[
            { value: 'all', label: 'All' },
            { value: 'live', label: 'Live' },
            { value: 'ended', label: 'Ended' },
          ]}
          value={state}
          onChange={setState}
        />
        <Segmented
          legend="Origin"
          options={[
            { value: 'all', label: 'All' },
            { value: 'proxy', label: 'Proxied' },
            { value: 'tap', label: 'Our own' },
          ]}
          value={origin}
          onChange={setOrigin}
        />
        <span className={styles.compare}>
          {a !== undefined && b !== undefined ? (
            <Link to="/scope/compare" search={{ a, b }} className={styles.compareLink}>
              <Columns2 size={15} aria-hidden="true" />
              Compare the two
            </Link>
          ) : (
            a !== undefined && 'Choose one more to compare'
          )}
        </span>
      </div>
      <Panel title="Connections" flush>
        {found?.length === 0 ? (
          <Nothing any={sessions !== undefined && sessions.length > 0} />
        ) : !found && error ? (
          <Failure error={error} />
        ) : (
          <>
            <DataTable
              caption="Sessions"
              columns={columns(picked, pick)}
              rows={found?.slice(0, most)}
              rowKey={(s) => s.session_id}
              initialSort={{ key: 'began', descending: true }}
              skeletonRows={6}
            />
            {found && found.length > most && (
              <p className={styles.more}>
                The {formatCount(most)} that began last, of {formatCount(found.length)}.{' '}
                <Button
                  small
                  onClick={() => {
                    setMost(most + STEP);
                  }}
                >
                  Show more
                </Button>
              </p>
            )}
            {sessions && sessions.length >= MOST_SESSIONS && (
              <p className={styles.more}>
                Older sessions are in the journal; their messages can be found by time.
              </p>
            )}
          </>
        )}
      </Panel>
    </Page>
  );
}

function Nothing({ any }: { any: boolean }) {
  const { data: settings } = useQuery(settingsQuery);
  if (any) return <Empty title="No session is like that">Change the search or the switches.</Empty>;
  const host = settings?.listen_host === '0.0.0.0' ? location.hostname : settings?.listen_host;
  return (
    <Empty title="No miner has connected yet">
      {settings && settings.listen_port > 0 ? (
        <p>
          Point a miner at{' '}
          <code>
            stratum+tcp://{host === '' ? location.hostname : host}:{settings.listen_port}
          </code>{' '}
          instead of at its pool; nothing else changes for it.
        </p>
      ) : (
        <p>Switch the tap on, or start a scope in front of a pool.</p>
      )}
    </Empty>
  );
}

function columns(picked: readonly string[], pick: (id: string) => void): Column<Session, Key>[] {
  return [
    {
      key: 'miner',
      header: 'Miner',
      card: 'title',
      value: (s) => s.workers?.[0] ?? s.user_agent ?? s.peer,
      raw: (s) => s.workers?.[0] ?? s.peer,
      cell: (s) => (
        <span className={styles.miner} title={s.workers?.[0]}>
          <Link to="/scope/sessions/$id" params={{ id: s.session_id }} className={styles.name}>
            {s.workers?.[0] ? <WorkerName name={shortWorker(s.workers[0])} /> : s.peer}
          </Link>
          <small title={s.user_agent ?? undefined}>
            {s.user_agent ?? 'no user agent'} · {shortSession(s.session_id)}
          </small>
        </span>
      ),
    },
    {
      key: 'state',
      header: 'State',
      card: 'lead',
      value: (s) => (s.live ? '' : (s.close_reason ?? 'ended')),
      raw: (s) => (s.live ? 'live' : (s.close_reason ?? 'ended')),
      cell: (s) =>
        s.live ? (
          <Pill tone="good">Live</Pill>
        ) : (
          <span className={styles.closed}>{closeText(s.close_reason)}</span>
        ),
    },
    {
      key: 'pool',
      header: 'Pool',
      card: 'detail',
      value: poolOf,
      cell: (s) => (
        <span title={ORIGINS[s.origin]?.meaning}>
          <Pill>{ORIGINS[s.origin]?.text ?? s.origin}</Pill> {s.origin === 'tap' ? '' : poolOf(s)}
        </span>
      ),
    },
    {
      key: 'difficulty',
      header: 'Difficulty',
      card: 'detail',
      numeric: true,
      value: (s) => s.difficulty ?? 0,
      raw: (s) => s.difficulty,
      cell: (s) => formatDifficulty(s.difficulty ?? undefined),
    },
    {
      key: 'shares',
      header: 'Shares',
      card: 'detail',
      numeric: true,
      value: (s) => s.brief?.accepted ?? -1,
      raw: (s) => s.brief && s.brief.accepted + s.brief.rejected + s.brief.unanswered,
      cell: (s) => <Shares session={s} />,
    },
    {
      key: 'hashrate',
      header: 'Hashrate',
      card: 'detail',
      numeric: true,
      value: (s) => s.brief?.hashes_per_second ?? -1,
      raw: (s) => s.brief?.hashes_per_second,
      unit: 'H/s',
      cell: (s) =>
        s.brief?.hashes_per_second == null ? NONE : formatHashrate(s.brief.hashes_per_second),
    },
    {
      key: 'latency',
      header: 'Latency',
      card: 'detail',
      numeric: true,
      value: (s) => s.brief?.submit_p50_ms ?? -1,
      raw: (s) => s.brief?.submit_p50_ms,
      unit: 'ms',
      cell: (s) => formatLatency(s.brief?.submit_p50_ms ?? undefined),
    },
    {
      key: 'messages',
      header: 'Messages',
      card: 'detail',
      numeric: true,
      value: (s) => s.message_count,
      cell: (s) => (
        <>
          {(s.gaps > 0 || s.stats.parse_errors > 0) && (
            <span className={styles.gaps} title={faultText(s)}>
              <TriangleAlert size={13} aria-hidden="true" />
              <span className="visually-hidden">{faultText(s)}</span>
            </span>
          )}
          <Link to="/scope/messages" search={{ session: s.session_id }}>
            {formatCount(s.message_count)}
          </Link>
        </>
      ),
    },
    {
      key: 'began',
      header: 'Began',
      card: 'detail',
      numeric: true,
      value: (s) => Date.parse(s.first_seen),
      raw: (s) => s.first_seen,
      cell: (s) => <Time at={s.first_seen} />,
    },
    {
      key: 'broadcast',
      header: 'Broadcast',
      card: 'detail',
      value: (s) => Number(s.broadcast_enabled),
      raw: (s) => (s.broadcast_enabled ? s.repeat_count : 0),
      rawHeader: 'Broadcast (repeat count)',
      cell: (s) => <BroadcastSwitch session={s} />,
    },
    {
      key: 'pick',
      header: 'Compare',
      card: 'detail',
      rawHeader: 'Session',
      raw: (s) => s.session_id,
      cell: (s) => (
        <input
          type="checkbox"
          aria-label={`Compare ${s.workers?.[0] ?? s.peer}`}
          checked={picked.includes(s.session_id)}
          onChange={() => {
            pick(s.session_id);
          }}
        />
      ),
    },
  ];
}

/** What is odd about the messages of a session. */
function faultText(s: Session): string {
  const parts = [];
  if (s.gaps > 0)
    parts.push(`${plural(s.gaps, 'gap')}: ${formatCount(s.lost_bytes)} bytes not captured`);
  if (s.stats.parse_errors > 0) {
    parts.push(`${plural(s.stats.parse_errors, 'line')} that are no Stratum`);
  }
  return parts.join('; ');
}

function Shares({ session }: { session: Session }) {
  const { brief } = session;
  if (!brief) return NONE;
  const total = brief.accepted + brief.rejected;
  return (
    <span
      title={`${formatCount(brief.accepted)} accepted, ${formatCount(brief.rejected)} rejected, ${formatCount(brief.unanswered)} not answered`}
    >
      {formatCount(total + brief.unanswered)}
      {brief.accept_rate !== null && brief.accept_rate < 1 && (
        <b className={styles.rejected}> {formatPercent(brief.accept_rate)} accepted</b>
      )}
      {brief.conflicts > 0 && (
        <b className={styles.rejected}> {plural(brief.conflicts, 'conflict')}</b>
      )}
    </span>
  );
}
