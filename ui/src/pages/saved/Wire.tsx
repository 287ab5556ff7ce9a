import { queryOptions, useQuery, type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { fetchLines, wireQuery, type WireSession } from '../../api/saved';
import { CopyButton } from '../../components/CopyButton';
import { Field } from '../../components/Field';
import { Empty, Failure } from '../../components/Message';
import { PlainText } from '../../components/PlainText';
import { Skeleton } from '../../components/Skeleton';
import { formatPreciseClock, formatTime, parseTime, plural } from '../../lib/format';
import { lineText } from '../../scope/filter';
import { DIRECTIONS } from '../../scope/words';
import { appendLines, FIRST, MOST, type Tail } from './tail';
import styles from './Wire.module.css';

/** How often new lines are asked for, ms. */
const PERIOD = 2_000;

/** Pages of lines that are fetched at a time, at most. */
const PAGES = 5;

/** The lines between an own worker and the pool, as they were captured. */
export function Wire({ hash }: { hash: string }) {
  const { data, error } = useQuery(wireQuery(hash));
  const [chosen, setChosen] = useState<string>();
  const session = data?.sessions.find((s) => s.id === chosen) ?? data?.sessions[0];
  return (
    <section aria-label="Wire">
      <div className={styles.head}>
        <h3>Its wire</h3>
        {data && session && (
          <Field label="Session" hidden>
            <select
              value={session.id}
              onChange={(event) => {
                setChosen(event.target.value);
              }}
            >
              {data.sessions.map((s) => (
                <option key={s.id} value={s.id}>
                  {name(s)}
                </option>
              ))}
            </select>
          </Field>
        )}
      </div>
      {!data ? (
        error ? (
          <Failure error={error} />
        ) : (
          <Skeleton width="40ch" />
        )
      ) : session ? (
        <Lines key={session.id} hash={hash} session={session} />
      ) : (
        <Empty title="Nothing was captured of it">
          {data.tap === 'off' || data.tap === 'other'
            ? 'The microscope does not watch this worker now. An operator can switch it on, under Sessions.'
            : 'The microscope watches: what comes from now on is seen here.'}
        </Empty>
      )}
    </section>
  );
}

function name(s: WireSession): string {
  const at = parseTime(s.connected_at);
  const since = at === undefined ? s.id : formatTime(at, Date.now());
  return `${since} · ${s.live ? 'live' : 'ended'} · ${plural(s.messages, 'line')}`;
}

/** The end of a session, which grows while it is live. */
function tailQuery(client: QueryClient, hash: string, session: WireSession) {
  const queryKey = [...wireQuery(hash).queryKey, session.id];
  return queryOptions({
    queryKey,
    queryFn: async ({ signal }) => {
      let tail = client.getQueryData<Tail>(queryKey) ?? {
        lines: [],
        next: Math.max(session.messages - FIRST, 0),
        live: true,
      };
      for (let page = 0; page < PAGES; page++) {
        const more = await fetchLines(hash, session.id, tail.next, signal);
        tail = appendLines(tail, more);
        if (more.lines.length === 0) break;
      }
      return tail;
    },
    refetchInterval: (query) => (query.state.data?.live === false ? false : PERIOD),
    structuralSharing: false,
  });
}

function Lines({ hash, session }: { hash: string; session: WireSession }) {
  const client = useQueryClient();
  const { data: tail, error } = useQuery(tailQuery(client, hash, session));
  if (!tail) return error ? <Failure error={error} /> : <Skeleton width="40ch" />;
  return (
    <>
      <ol className={styles.lines} reversed aria-label="Lines, the latest first">
        {tail.lines.toReversed().map((m) => {
          const at = parseTime(m.ts_recv);
          const text = lineText(m).replace(/\r?\n$/, '');
          return (
            <li key={m.id} data-direction={m.direction}>
              <span className={styles.when}>
                {at === undefined ? '' : formatPreciseClock(at)}{' '}
                <i title={DIRECTIONS[m.direction].text}>
                  {m.direction === 'miner_to_pool' ? '→ pool' : '← pool'}
                </i>
              </span>
              <code>
                <PlainText text={text} />
              </code>
              <CopyButton text={text} label="Copy the line" />
            </li>
          );
        })}
      </ol>
      <p className={styles.note}>
        {tail.lines.length === 0
          ? 'No line so far.'
          : `The latest ${plural(tail.lines.length, 'line')}, newest first; at most ${plural(MOST, 'line')} are kept here. Passwords are masked.`}
      </p>
    </>
  );
}
