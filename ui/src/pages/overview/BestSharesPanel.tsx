import { useView } from '../../api/LiveProvider';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Skeleton } from '../../components/Skeleton';
import { Time } from '../../components/Time';
import { WorkerLink } from '../../components/WorkerLink';
import { formatDifficulty } from '../../lib/format';
import styles from './BestSharesPanel.module.css';

/** Rows shown; the server keeps twelve. */
const SHOWN = 6;

export function BestSharesPanel() {
  const { data: overview, error } = useView('overview');
  const best = overview?.best_shares;
  return (
    <Panel title="Best shares ever">
      {best?.length === 0 ? (
        <Empty title="No share yet">The most difficult shares are kept here.</Empty>
      ) : !best && error ? (
        <Failure error={error} />
      ) : (
        <ol className={styles.list}>
          {best?.slice(0, SHOWN).map((share, place) => (
            <li key={`${place} ${share.timestamp} ${share.difficulty}`}>
              <span className={styles.difficulty}>{formatDifficulty(share.difficulty)}</span>
              <WorkerLink name={share.display_worker ?? share.worker} />
              <span className={styles.time}>
                <Time at={share.timestamp} />
              </span>
            </li>
          )) ?? (
            <>
              <li>
                <Skeleton width="20ch" />
              </li>
              <li>
                <Skeleton width="20ch" />
              </li>
            </>
          )}
        </ol>
      )}
    </Panel>
  );
}
