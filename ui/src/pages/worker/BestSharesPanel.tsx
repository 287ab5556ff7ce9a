import type { Worker } from '../../api/workers';
import { Empty } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { Skeleton } from '../../components/Skeleton';
import { Time } from '../../components/Time';
import { formatDifficulty, shortHash } from '../../lib/format';
import styles from './WorkerPage.module.css';

/** A worker's best shares, best first. */
export function BestSharesPanel({ worker }: { worker: Worker | undefined }) {
  return (
    <Panel title="Best shares">
      {worker?.best_shares.length === 0 ? (
        <Empty title="No share yet">The most difficult ones are kept here.</Empty>
      ) : (
        <ol className={styles.best}>
          {worker?.best_shares.map((share, place) => (
            <li key={`${place} ${share.timestamp}`}>
              <b>{formatDifficulty(share.difficulty)}</b>
              {share.hash !== undefined && <code title={share.hash}>{shortHash(share.hash)}</code>}
              <span>
                <Time at={share.timestamp} />
              </span>
            </li>
          )) ?? (
            <li>
              <Skeleton width="24ch" />
            </li>
          )}
        </ol>
      )}
    </Panel>
  );
}
