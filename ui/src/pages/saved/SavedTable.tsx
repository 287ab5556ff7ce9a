import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { BadgeCheck, ChevronRight } from 'lucide-react';
import { useMemo, useState } from 'react';
import { savedHistoryQuery } from '../../api/saved';
import { Button } from '../../components/Button';
import { DataTable, type Column } from '../../components/DataTable';
import { Field } from '../../components/Field';
import { Empty } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Pill } from '../../components/Pill';
import { Segmented } from '../../components/Segmented';
import { Skeleton } from '../../components/Skeleton';
import { Sparkline } from '../../components/Sparkline';
import { Time } from '../../components/Time';
import { WorkerName } from '../../components/WorkerName';
import { accuracyText } from '../../lib/accuracy';
import {
  formatCount,
  formatDifficulty,
  formatHashrate,
  formatPercent,
  formatRate,
  NONE,
  parseTime,
} from '../../lib/format';
import type { SparkPoint } from '../../lib/sparkline';
import { shortWorker } from '../../scope/words';
import { filterSaved, type SavedWorker } from './group';
import { NotifySwitch } from './NotifySwitch';
import styles from './SavedPage.module.css';

type Key =
  | 'name'
  | 'state'
  | 'day'
  | 'hashrate'
  | 'rate'
  | 'best'
  | 'uptime'
  | 'online'
  | 'notify'
  | 'manage';

/** From so many workers on, they can be searched. */
const MANY = 8;

const DAY = 86_400_000;

/** Distance of two points of the history, and what is a gap between them, ms. */
const STEP = 600_000;

/** All saved workers, a line each. */
export function SavedTable(props: {
  workers: SavedWorker[] | undefined;
  /** The server's time when they were like that, ms. */
  now: number;
  onOpen: (hash: string) => void;
}) {
  const { workers, now, onOpen } = props;
  const [text, setText] = useState('');
  const [state, setState] = useState<'all' | 'online' | 'offline'>('all');
  const many = workers !== undefined && workers.length >= MANY;
  const rows = workers && (many ? filterSaved(workers, text, state) : workers);
  const days = useDays(now, workers !== undefined);
  return (
    <Panel
      title="Workers"
      flush
      aside={
        many ? (
          <span className={styles.tools}>
            <Field label="Search saved workers" hidden>
              <input
                type="search"
                placeholder="Name…"
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
                { value: 'online', label: 'Online' },
                { value: 'offline', label: 'Offline' },
              ]}
              value={state}
              onChange={setState}
            />
          </span>
        ) : undefined
      }
    >
      {workers?.length === 0 ? (
        <Empty title="No worker saved yet">
          <p>
            Type the name of one above, or open it in the <Link to="/workers">list of workers</Link>{' '}
            and press its star. What you save is yours alone to see.
          </p>
        </Empty>
      ) : rows?.length === 0 ? (
        <Empty title="No saved worker is like that">Change the search or the switch.</Empty>
      ) : (
        <DataTable
          caption="Saved workers"
          columns={columns(days, onOpen)}
          rows={rows}
          rowKey={(w) => w.hash}
          initialSort={{ key: 'state', descending: true }}
          skeletonRows={5}
        />
      )}
    </Panel>
  );
}

/** Hashrates of the day until a time, as the sparklines want them. */
interface Days {
  points: Map<string, SparkPoint[]> | undefined;
  to: number;
}

function useDays(to: number, known: boolean): Days {
  // Not before it is known that somebody is signed in.
  const { data } = useQuery({ ...savedHistoryQuery, enabled: known });
  const points = useMemo(
    () =>
      data &&
      new Map(
        Object.entries(data.workers).map(([hash, day]) => [
          hash,
          day.flatMap(({ at, hashrate }) => {
            const ms = parseTime(at);
            return ms === undefined ? [] : [{ at: ms, value: hashrate }];
          }),
        ]),
      ),
    [data],
  );
  return { points, to };
}

function columns(days: Days, onOpen: (hash: string) => void): Column<SavedWorker, Key>[] {
  return [
    {
      key: 'name',
      header: 'Worker',
      card: 'title',
      value: (w) => w.name.toLowerCase(),
      raw: (w) => w.name,
      cell: (w) => <Name worker={w} />,
    },
    {
      key: 'state',
      header: 'State',
      card: 'lead',
      value: (w) => (w.online ? w.connections.length : 0),
      raw: (w) => (w.online ? 'online' : 'offline'),
      cell: (w) => <State worker={w} />,
    },
    {
      key: 'day',
      header: 'Last 24 h',
      card: 'detail',
      raw: false,
      cell: (w) => <Day worker={w} days={days} />,
    },
    {
      key: 'hashrate',
      header: 'Hashrate',
      unit: 'H/s',
      card: 'detail',
      numeric: true,
      value: (w) => w.hashrate,
      cell: (w) => <Hashrate worker={w} />,
    },
    {
      key: 'rate',
      header: 'Shares/min',
      card: 'detail',
      numeric: true,
      value: (w) => w.sharesPerMinute,
      cell: (w) => (w.online ? formatRate(w.sharesPerMinute) : NONE),
    },
    {
      key: 'best',
      header: 'Best share',
      card: 'detail',
      numeric: true,
      value: (w) => w.bestDifficulty,
      cell: (w) => (
        <span className={w.bestDifficulty > 0 ? styles.gold : undefined}>
          {w.bestDifficulty > 0 ? formatDifficulty(w.bestDifficulty) : NONE}
        </span>
      ),
    },
    {
      key: 'uptime',
      header: 'Uptime 24 h',
      card: 'detail',
      numeric: true,
      value: (w) => w.uptime ?? -1,
      raw: (w) => w.uptime,
      cell: (w) => formatPercent(w.uptime),
    },
    {
      key: 'online',
      header: 'Last online',
      card: 'detail',
      numeric: true,
      value: (w) => parseTime(w.lastOnline) ?? 0,
      raw: (w) => w.lastOnline,
      cell: (w) =>
        w.online ? 'now' : w.lastOnline === undefined ? 'never' : <Time at={w.lastOnline} ago />,
    },
    {
      key: 'notify',
      header: 'Notify',
      card: 'detail',
      value: (w) => (w.notify ? 1 : 0),
      raw: (w) => (w.notify ? 'on' : 'off'),
      cell: (w) => <NotifySwitch worker={w} />,
    },
    {
      key: 'manage',
      header: '',
      card: 'detail',
      numeric: true,
      raw: false,
      cell: (w) => (
        <Button
          small
          aria-label={`${w.owned ? 'Manage' : 'Details of'} ${w.name}`}
          onClick={() => {
            onOpen(w.hash);
          }}
        >
          {w.owned ? 'Manage' : 'Details'}
          <ChevronRight size={14} aria-hidden="true" />
        </Button>
      ),
    },
  ];
}

function Name({ worker: w }: { worker: SavedWorker }) {
  return (
    <span className={styles.name}>
      <Link to="/workers/$id" params={{ id: w.hash }} title={w.name} preload={false}>
        <WorkerName name={shortWorker(w.name)} />
      </Link>
      {w.owned && (
        <span className={styles.owned} title="You have proven that this worker is yours">
          <BadgeCheck size={15} aria-hidden="true" />
          <span className="visually-hidden">yours</span>
        </span>
      )}
    </span>
  );
}

function State({ worker: w }: { worker: SavedWorker }) {
  if (w.claim && !w.owned) {
    const { refused, waiting } = w.claim;
    if (refused !== undefined) return <Pill tone="bad">Code did not count</Pill>;
    return <Pill tone="warn">{waiting === true ? 'Code came' : 'Waiting for its code'}</Pill>;
  }
  if (!w.online) return <Pill>Offline</Pill>;
  return (
    <>
      <Pill tone="good">Online</Pill>
      {w.connections.length > 1 && (
        <small title={`${formatCount(w.connections.length)} connections`}>
          {' '}
          × {formatCount(w.connections.length)}
        </small>
      )}
    </>
  );
}

function Hashrate({ worker: w }: { worker: SavedWorker }) {
  if (w.hashrate <= 0) return NONE;
  return (
    <>
      {w.accuracy && (
        <span className={styles.mark} title={accuracyText(w.accuracy)}>
          {w.accuracy}
        </span>
      )}
      {formatHashrate(w.hashrate)}
    </>
  );
}

function Day({ worker: w, days }: { worker: SavedWorker; days: Days }) {
  if (!days.points) return <Skeleton width="120px" />;
  const points = days.points.get(w.hash) ?? [];
  if (points.length === 0) return <span className={styles.none}>no work</span>;
  const top = Math.max(...points.map((p) => p.value));
  return (
    <Sparkline
      points={points}
      from={days.to - DAY}
      to={days.to}
      gap={STEP * 1.5}
      label={`The last 24 hours: at most ${formatHashrate(top)}`}
    />
  );
}
