import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Repeat, X } from 'lucide-react';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { errorText } from '../../../api/client';
import { Button } from '../../../components/Button';
import { CopyButton } from '../../../components/CopyButton';
import { Facts } from '../../../components/Facts';
import { Failure } from '../../../components/Message';
import { Pill } from '../../../components/Pill';
import { Segmented } from '../../../components/Segmented';
import { Skeleton } from '../../../components/Skeleton';
import {
  formatBytes,
  formatLatency,
  formatPreciseClock,
  formatUTC,
  sentence,
} from '../../../lib/format';
import { load } from '../../../lib/load';
import { lineText } from '../../../scope/filter';
import { decodedQuery, jobsQuery, messageQuery, sessionQuery } from '../../../scope/queries';
import type { Message } from '../../../scope/types';
import { DIRECTIONS, numberOfMessage, shortSession } from '../../../scope/words';
import { DecodedView } from './DecodedView';
import { JSONTree } from './JSONTree';
import styles from './MessageDetail.module.css';
import { RawLine } from './RawLine';
import { ShareView } from './ShareView';

const ReplayDialog = lazy(async () => ({
  default: (await load(() => import('./ReplayDialog'))).ReplayDialog,
}));

/** A request younger than this may still be answered, ms. */
const YOUNG = 60_000;

type Tab = 'decoded' | 'raw' | 'tree';

interface MessageDetailProps {
  id: string;
  onClose: () => void;
  onOpen: (id: string) => void;
}

/** Everything about one message: what it means, what answered it, and its bytes. */
export function MessageDetail({ id, onClose, onOpen }: MessageDetailProps) {
  const { data: message, error } = useQuery({
    ...messageQuery(id),
    refetchInterval: ({ state: { data } }) =>
      data?.is_request === true &&
      data.response === null &&
      Date.now() - Date.parse(data.ts_recv) < YOUNG
        ? 1000
        : false,
  });
  const { data: session } = useQuery({
    ...sessionQuery(message?.session_id ?? ''),
    enabled: message?.method === 'mining.submit',
  });
  const own = session?.origin === 'tap';
  const [tab, setTab] = useState<Tab>('decoded');
  const [replaying, setReplaying] = useState(false);
  const panel = useRef<HTMLElement>(null);

  // The panel is a place to read on: it takes the focus once, and Esc gives it back.
  useEffect(() => {
    panel.current?.focus();
  }, []);

  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Esc closes it from anywhere inside
    <aside
      ref={panel}
      className={styles.panel}
      aria-label="Message"
      tabIndex={-1}
      data-testid="message-detail"
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !replaying) onClose();
      }}
    >
      <header className={styles.head}>
        <h2>{message?.method ?? (message ? answerTitle(message) : 'Message')}</h2>
        {message && <Verdict message={message} />}
        <span className={styles.tools}>
          {message?.method === 'mining.submit' && message.direction === 'miner_to_pool' && (
            <Button
              small
              disabled={own}
              title={
                own
                  ? 'Connections to our own pool are only listened to; shares can be replayed in proxied sessions'
                  : 'Edit this share and send it to the pool again'
              }
              onClick={() => {
                setReplaying(true);
              }}
            >
              <Repeat size={14} aria-hidden="true" />
              Replay
            </Button>
          )}
          <button type="button" className={styles.close} aria-label="Close" onClick={onClose}>
            <X size={18} aria-hidden="true" />
          </button>
        </span>
      </header>
      {!message && error ? (
        <Failure error={error} />
      ) : (
        <div className={styles.body}>
          <About message={message} />
          {message && (
            <>
              {message.share && <ShareView share={message.share} />}
              <div className={styles.tabs}>
                <Segmented
                  legend="Form"
                  options={[
                    { value: 'decoded', label: 'In words' },
                    { value: 'tree', label: 'Tree' },
                    { value: 'raw', label: 'Raw' },
                  ]}
                  value={tab}
                  onChange={setTab}
                />
                <CopyButton text={lineText(message)} label="Copy the line" />
              </div>
              {tab === 'decoded' && <Words id={id} message={message} />}
              {tab === 'tree' &&
                (message.decoded ? (
                  <JSONTree value={message.decoded} />
                ) : (
                  <p className={styles.note}>It is no JSON object.</p>
                ))}
              {tab === 'raw' && <RawLine raw={message.raw} encoding={message.raw_encoding} />}
              <Pair message={message} tab={tab} onOpen={onOpen} />
              <JobLink message={message} onOpen={onOpen} />
            </>
          )}
        </div>
      )}
      {replaying && message && (
        <Suspense>
          <ReplayDialog
            message={message}
            onClose={() => {
              setReplaying(false);
            }}
            onOpen={onOpen}
          />
        </Suspense>
      )}
    </aside>
  );
}

function answerTitle(m: Message): string {
  if (m.parse_error !== null) return 'Unreadable line';
  return m.response_ok === false || m.decoded?.error != null ? 'Error response' : 'Response';
}

function Verdict({ message: m }: { message: Message }) {
  if (m.parse_error !== null) return <Pill tone="bad">Parse error</Pill>;
  if (m.replay_error !== undefined) return <Pill tone="bad">{m.replay_error}</Pill>;
  return <Pill tone="good">OK</Pill>;
}

/** Where it came from, when, and how long everything took. */
function About({ message: m }: { message: Message | undefined }) {
  const direction = m && DIRECTIONS[m.direction].text;
  const forwarded =
    m && (m.ts_fwd === null ? 'not forwarded' : took(Date.parse(m.ts_fwd) - Date.parse(m.ts_recv)));
  return (
    <>
      <Facts
        items={[
          [
            'Session',
            m && (
              <>
                <Link to="/scope/sessions/$id" params={{ id: m.session_id }}>
                  {shortSession(m.session_id)}
                </Link>
                , message {numberOfMessage(m.id)}
              </>
            ),
          ],
          ['Direction', m && (m.replay_of ? `${direction ?? ''} (Replay)` : direction)],
          ['From', m?.peer],
          [
            'Received',
            m && (
              <time dateTime={m.ts_recv} title={formatUTC(Date.parse(m.ts_recv))}>
                {formatPreciseClock(Date.parse(m.ts_recv))}
              </time>
            ),
          ],
          ['Forwarded', forwarded],
          ...(m?.latency_ms == null
            ? []
            : ([['Answered after', formatLatency(m.latency_ms)]] as const)),
          ['Size', m && formatBytes(m.size_bytes)],
        ]}
      />
      {m?.parse_error != null && <p className={styles.fault}>{sentence(m.parse_error)}</p>}
      {m?.truncated === true && (
        <p className={styles.note}>Only the beginning of this line was kept.</p>
      )}
      {m?.masked === true && <p className={styles.note}>A password in it was replaced.</p>}
      {m?.unterminated === true && (
        <p className={styles.note}>The stream ended without a line feed after it.</p>
      )}
      {m?.wire_id !== undefined && (
        <p className={styles.note}>
          On the wire it had the id {JSON.stringify(m.wire_id)}, so that the miner’s own answers
          were not touched.
        </p>
      )}
    </>
  );
}

/** Times have microseconds, which Date rounds away: below a millisecond says as much. */
function took(ms: number): string {
  return ms < 1 ? 'within 1 ms' : `${formatLatency(ms)} later`;
}

function Words({ id, message }: { id: string; message: Message }) {
  const { data, error } = useQuery(decodedQuery(id));
  if (!data && error) {
    return (
      <>
        <p className={styles.note}>{sentence(errorText(error))}</p>
        {message.decoded && <JSONTree value={message.decoded} />}
      </>
    );
  }
  if (!data) return <Skeleton width="60%" />;
  return <DecodedView decoded={data.decoded} />;
}

/** The answer, or the request that this answers. */
function Pair(props: { message: Message; tab: Tab; onOpen: (id: string) => void }) {
  const { message: m, tab, onOpen } = props;
  const pair = m.paired_message_id;
  const { data: asked } = useQuery({ ...messageQuery(pair ?? ''), enabled: pair !== null });
  const raw = m.response_raw ?? asked?.raw;
  if (raw === undefined) {
    if (!m.is_request || m.jsonrpc_id == null) return null;
    return <p className={styles.note}>No answer has been captured.</p>;
  }
  const tree = m.response ?? asked?.decoded;
  const encoding =
    m.response_raw === null
      ? (asked?.raw_encoding ?? 'utf-8')
      : (m.response_raw_encoding ?? 'utf-8');
  const { from, to } = DIRECTIONS[m.direction];
  return (
    <section>
      <h3 className={styles.part}>
        {m.is_request ? `Answer (${to} → ${from})` : 'Answers'}
        {pair !== null && (
          <Button
            small
            onClick={() => {
              onOpen(pair);
            }}
          >
            Open message {numberOfMessage(pair)}
          </Button>
        )}
      </h3>
      {tab === 'raw' || tree == null ? (
        <RawLine raw={raw} encoding={encoding} />
      ) : (
        <JSONTree value={tree} />
      )}
    </section>
  );
}

/** How many jobs back the job of a share is looked for. */
const JOBS = 200;

/** The mining.notify that a share is for. */
function JobLink({ message: m, onOpen }: { message: Message; onOpen: (id: string) => void }) {
  const job = m.share?.job;
  const { data: jobs } = useQuery({
    ...jobsQuery(m.session_id, false, JOBS),
    enabled: job !== undefined && job !== '',
  });
  const n = Number(numberOfMessage(m.id));
  const found = jobs?.items?.find((j) => j.job_id === job && j.n < n);
  if (!found) return null;
  return (
    <p className={styles.note}>
      Its job {found.job_id} is for block {found.height}, received{' '}
      {formatPreciseClock(Date.parse(found.received_at))}.{' '}
      <Button
        small
        onClick={() => {
          onOpen(found.message_id);
        }}
      >
        Open the job
      </Button>
    </p>
  );
}
