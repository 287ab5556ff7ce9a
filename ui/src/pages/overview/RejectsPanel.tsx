import { Link } from '@tanstack/react-router';
import { useView } from '../../api/LiveProvider';
import type { BannedWorker } from '../../api/types';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { PlainText } from '../../components/PlainText';
import { RejectList } from '../../components/RejectList';
import { Time } from '../../components/Time';
import { formatCount } from '../../lib/format';
import styles from './RejectsPanel.module.css';

/** Why shares were refused, and what their owners can do about it. */
export function RejectsPanel() {
  const { data: status, error } = useView('status');
  const { data: overview } = useView('overview');
  const none = status?.rejects.every((r) => r.count === 0);
  return (
    <Panel title="Rejected shares">
      {none === true ? (
        <Empty title="No share was rejected">
          {status && status.accepted > 0
            ? `All ${formatCount(status.accepted)} so far were good.`
            : undefined}
        </Empty>
      ) : !status && error ? (
        <Failure error={error} />
      ) : (
        <RejectList
          rejects={status?.rejects}
          all={status ? status.accepted + status.rejected : 0}
        />
      )}
      {overview && overview.banned_workers.length > 0 && <Bans bans={overview.banned_workers} />}
    </Panel>
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
            {b.ban_reason === undefined ? 'No reason given' : <PlainText text={b.ban_reason} />}
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
