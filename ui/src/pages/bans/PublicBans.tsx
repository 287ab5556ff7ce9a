import { LockKeyhole } from 'lucide-react';
import { useView } from '../../api/LiveProvider';
import type { BannedWorker } from '../../api/types';
import { Button } from '../../components/Button';
import { DataTable, type Column } from '../../components/DataTable';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { PlainText } from '../../components/PlainText';
import { Time } from '../../components/Time';
import styles from './BansPage.module.css';

const columns: Column<BannedWorker>[] = [
  {
    key: 'reason',
    header: 'Reason',
    card: 'title',
    raw: (b) => b.ban_reason,
    cell: (b) => (
      <span className={styles.reason}>
        {b.ban_reason === undefined ? 'none given' : <PlainText text={b.ban_reason} />}
      </span>
    ),
  },
  {
    key: 'until',
    header: 'Until',
    card: 'lead',
    numeric: true,
    raw: (b) => b.banned_until,
    cell: (b) => (b.banned_until === undefined ? 'it is lifted' : <Time at={b.banned_until} />),
  },
];

/** What everybody may see of bans: why and how long, and not whom. */
export function PublicBans({ onUnlock }: { onUnlock: () => void }) {
  const { data: overview, error } = useView('overview');
  // All have the same name; their place tells them apart.
  const bans = overview?.banned_workers.map((b, place) => ({ ...b, name: String(place) }));
  return (
    <>
      <Panel title="For the operator">
        <div className={styles.locked}>
          <LockKeyhole size={20} aria-hidden="true" />
          <p>
            Whose addresses are banned is not public, and only the operator bans and lifts. On the
            pool’s own machine, under a loopback name, that is anybody unless a token is configured;
            elsewhere it takes the access token.
          </p>
          <Button tone="primary" onClick={onUnlock}>
            Enter the token
          </Button>
        </div>
      </Panel>
      <Panel title="Bans in force" flush>
        {bans?.length === 0 ? (
          <Empty title="Nobody is banned" />
        ) : !bans && error ? (
          <Failure error={error} />
        ) : (
          <DataTable
            caption="Bans in force, without addresses"
            columns={columns}
            rows={bans}
            rowKey={(b) => b.name}
          />
        )}
      </Panel>
    </>
  );
}
