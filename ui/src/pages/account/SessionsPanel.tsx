import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { endOtherSessions, endSession, sessionsQuery, type SignedIn } from '../../api/account';
import { errorText } from '../../api/client';
import { Button } from '../../components/Button';
import { DataTable, type Column } from '../../components/DataTable';
import { Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Pill } from '../../components/Pill';
import { Time } from '../../components/Time';
import { describeUserAgent } from '../../lib/userAgent';
import styles from './AccountPage.module.css';

type Key = 'device' | 'address' | 'created' | 'seen' | 'expires' | 'end';

/** Everywhere that somebody is signed in, to be ended one by one or together. */
export function SessionsPanel() {
  const client = useQueryClient();
  const { data, error } = useQuery(sessionsQuery);
  const renew = () => client.invalidateQueries({ queryKey: sessionsQuery.queryKey });
  const end = useMutation({ mutationFn: endSession, onSettled: renew });
  const endOthers = useMutation({ mutationFn: endOtherSessions, onSettled: renew });
  const sessions = data && [...data.sessions].sort(currentFirst);
  const failure = end.error ?? endOthers.error;
  return (
    <Panel
      title="Where you are signed in"
      flush
      aside={
        sessions && sessions.length > 1 ? (
          <Button
            small
            disabled={endOthers.isPending}
            onClick={() => {
              endOthers.mutate();
            }}
          >
            End all others
          </Button>
        ) : undefined
      }
    >
      {!data && error ? (
        <Failure error={error} />
      ) : (
        <DataTable
          caption="Your sessions"
          columns={columns(end.isPending ? end.variables : undefined, (id) => {
            end.mutate(id);
          })}
          rows={sessions}
          rowKey={(s) => s.id}
        />
      )}
      {failure !== null && (
        <p className={styles.failed} role="alert">
          {errorText(failure)}
        </p>
      )}
    </Panel>
  );
}

function currentFirst(a: SignedIn, b: SignedIn): number {
  return Number(b.current) - Number(a.current) || Date.parse(b.last_seen) - Date.parse(a.last_seen);
}

function columns(ending: string | undefined, onEnd: (id: string) => void): Column<SignedIn, Key>[] {
  return [
    {
      key: 'device',
      header: 'Device',
      card: 'title',
      raw: (s) => s.user_agent,
      cell: (s) => (
        <span className={styles.device} title={s.user_agent}>
          {describeUserAgent(s.user_agent)} {s.current && <Pill tone="good">This one</Pill>}
        </span>
      ),
    },
    {
      key: 'address',
      header: 'From',
      card: 'detail',
      cell: (s) => <code className={styles.address}>{s.address}</code>,
    },
    {
      key: 'created',
      header: 'Since',
      card: 'detail',
      numeric: true,
      raw: (s) => s.created_at,
      cell: (s) => <Time at={s.created_at} />,
    },
    {
      key: 'seen',
      header: 'Last seen',
      card: 'detail',
      numeric: true,
      raw: (s) => s.last_seen,
      cell: (s) => <Time at={s.last_seen} ago />,
    },
    {
      key: 'expires',
      header: 'Ends',
      card: 'detail',
      numeric: true,
      raw: (s) => s.expires_at,
      cell: (s) => <Time at={s.expires_at} />,
    },
    {
      key: 'end',
      header: '',
      card: 'lead',
      numeric: true,
      raw: false,
      cell: (s) =>
        !s.current && (
          <Button
            small
            disabled={ending === s.id}
            aria-label={`End the session of ${describeUserAgent(s.user_agent)}, ${s.address}`}
            onClick={() => {
              onEnd(s.id);
            }}
          >
            End
          </Button>
        ),
    },
  ];
}
