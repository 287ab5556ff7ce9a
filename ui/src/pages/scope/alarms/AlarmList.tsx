import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Empty, Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Pill } from '../../../components/Pill';
import { Skeleton } from '../../../components/Skeleton';
import { Time } from '../../../components/Time';
import { formatCount } from '../../../lib/format';
import { sessionAlarmsQuery } from '../../../scope/queries';
import type { Alarm } from '../../../scope/types';
import {
  kindText,
  numberOfMessage,
  sessionOfMessage,
  severityWord,
  shortSession,
} from '../../../scope/words';
import styles from './AlarmList.module.css';

/** Alarms as sentences, with links to the messages that prove them. */
export function AlarmList(props: { alarms: readonly Alarm[]; withSession: boolean }) {
  return (
    <ul className={styles.list}>
      {props.alarms.map((a) => (
        <li key={a.id} className={styles.alarm} data-severity={a.severity}>
          <p className={styles.head}>
            <Pill tone={a.kind === 'block_found' ? 'gold' : severityWord(a.severity).tone}>
              {severityWord(a.severity).text}
            </Pill>
            <b>{kindText(a.kind)}</b>
            <span className={styles.when}>
              <Time at={a.last_at} />
              {a.count > 1 && (
                <>
                  , {formatCount(a.count)} times since <Time at={a.first_at} />
                </>
              )}
            </span>
          </p>
          <p>{a.text}</p>
          <p className={styles.proof}>
            {props.withSession && (
              <Link to="/scope/sessions/$id" params={{ id: a.session_id }}>
                Session {shortSession(a.session_id)}
              </Link>
            )}
            {a.messages && a.messages.length > 0 && (
              <>
                {' '}
                Proof:{' '}
                {a.messages.map((id) => (
                  <Link
                    key={id}
                    to="/scope/messages"
                    search={{ session: sessionOfMessage(id), m: id }}
                  >
                    message {numberOfMessage(id)}
                  </Link>
                ))}
              </>
            )}
          </p>
        </li>
      ))}
    </ul>
  );
}

/** The alarms of one session. */
export function AlarmsPanel({ session, live }: { session: string; live: boolean }) {
  const { data: page, error } = useQuery(sessionAlarmsQuery(session, live));
  return (
    <Panel title="Alarms" flush>
      {!page && error ? (
        <Failure error={error} />
      ) : !page ? (
        <p className={styles.wait}>
          <Skeleton width="40%" />
        </p>
      ) : (page.alarms ?? []).length === 0 ? (
        <Empty title="No alarm in this session" />
      ) : (
        <AlarmList alarms={newestFirst(page.alarms ?? [])} withSession={false} />
      )}
    </Panel>
  );
}

/** Those that were raised last come first. */
export function newestFirst(alarms: readonly Alarm[]): Alarm[] {
  return alarms.toSorted((a, b) => Date.parse(b.last_at) - Date.parse(a.last_at));
}
