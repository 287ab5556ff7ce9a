import { Link } from '@tanstack/react-router';
import { useView } from '../../api/LiveProvider';
import type { BannedWorker, Reject } from '../../api/types';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Skeleton } from '../../components/Skeleton';
import { Time } from '../../components/Time';
import { formatCount, formatPercent } from '../../lib/format';
import { sortRows } from '../../lib/sort';
import styles from './RejectsPanel.module.css';

/** Why shares were refused, and what their owners can do about it. */
export function RejectsPanel() {
  const { data: status, error } = useView('status');
  const { data: overview } = useView('overview');
  const rejects =
    status &&
    sortRows(
      status.rejects.filter((r) => r.count > 0),
      (r) => r.count,
      true,
    );
  const all = status ? status.accepted + status.rejected : 0;
  return (
    <Panel title="Rejected shares">
      {rejects?.length === 0 ? (
        <Empty title="No share was rejected">
          {status && status.accepted > 0
            ? `All ${formatCount(status.accepted)} so far were good.`
            : undefined}
        </Empty>
      ) : !rejects && error ? (
        <Failure error={error} />
      ) : (
        <ul className={styles.list}>
          {rejects?.map((r) => <Row key={r.reason} reject={r} all={all} />) ?? (
            <li>
              <Skeleton width="30ch" />
            </li>
          )}
        </ul>
      )}
      {overview && overview.banned_workers.length > 0 && <Bans bans={overview.banned_workers} />}
    </Panel>
  );
}

function Row({ reject, all }: { reject: Reject; all: number }) {
  return (
    <li>
      <p className={styles.head}>
        <span className={styles.text}>{reject.text}</span>
        <span className={styles.count}>
          {formatCount(reject.count)}
          <small> {formatPercent(reject.count / Math.max(all, 1))}</small>
        </span>
      </p>
      <p className={styles.advice}>{reject.advice}</p>
    </li>
  );
}

function Bans({ bans }: { bans: BannedWorker[] }) {
  return (
    <div className={styles.bans}>
      <h3>
        Banned for now <Link to="/bans">All bans</Link>
      </h3>
      <ul>
        {bans.map((b, i) => (
          // Addresses are banned, which are not shown: nothing tells them apart.
          <li key={i}>
            {b.ban_reason ?? 'An address'}
            {b.banned_until !== undefined && (
              <>
                , until <Time at={b.banned_until} />
              </>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
