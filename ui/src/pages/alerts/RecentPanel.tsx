import type { AlertEntry, Alerts } from '../../api/alerts';
import { DataTable, type Column } from '../../components/DataTable';
import { Empty } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Pill } from '../../components/Pill';
import { PlainText } from '../../components/PlainText';
import { Time } from '../../components/Time';
import { plural, sentence } from '../../lib/format';
import styles from './AlertsPage.module.css';
import { eventWord, stateWord } from './words';

type Key = 'at' | 'event' | 'text' | 'channel' | 'state';

/** The latest messages, and what became of each. */
export function RecentPanel({ alerts }: { alerts: Alerts | undefined }) {
  return (
    <Panel title="Recent messages" flush>
      {alerts?.recent.length === 0 ? (
        <Empty title="Nothing was told so far">
          Every message is listed here with what became of it: sent, waiting, or why it failed.
        </Empty>
      ) : (
        <DataTable
          caption="Recent messages"
          columns={columns(alerts)}
          rows={alerts?.recent}
          rowKey={(e) => String(e.id)}
        />
      )}
    </Panel>
  );
}

function columns(alerts: Alerts | undefined): Column<AlertEntry, Key>[] {
  const channel = (e: AlertEntry) =>
    alerts?.channels.find((c) => c.id === e.channel_id)?.name ?? 'deleted';
  return [
    {
      key: 'at',
      header: 'When',
      card: 'detail',
      raw: (e) => e.at,
      cell: (e) => <Time at={e.at} />,
    },
    {
      key: 'event',
      header: 'Event',
      card: 'title',
      raw: (e) => e.kind,
      cell: (e) => (
        <span className={styles.event} data-severity={e.severity}>
          {eventWord(e.kind, alerts?.events ?? [])}
        </span>
      ),
    },
    {
      key: 'text',
      header: 'Message',
      card: 'detail',
      raw: (e) => e.text,
      cell: (e) => (
        <span className={styles.text}>
          <PlainText text={e.text} />
        </span>
      ),
    },
    {
      key: 'channel',
      header: 'To',
      card: 'detail',
      raw: channel,
      cell: (e) => (
        <bdi className={styles.to} title={channel(e)}>
          {channel(e)}
        </bdi>
      ),
    },
    {
      key: 'state',
      header: 'State',
      card: 'lead',
      raw: (e) => (e.error === undefined ? e.state : `${e.state}: ${e.error}`),
      cell: (e) => <State entry={e} />,
    },
  ];
}

function State({ entry: e }: { entry: AlertEntry }) {
  const { text, tone } = stateWord(e.state);
  const waits = e.state === 'queued' && e.next_try_at !== undefined;
  return (
    <span className={styles.state}>
      <Pill tone={tone}>{text}</Pill>
      {e.error !== undefined && <small>{sentence(e.error)}</small>}
      {waits && (
        <small>
          {plural(e.attempts, 'try', 'tries')}, next <Time at={e.next_try_at} />
        </small>
      )}
    </span>
  );
}
