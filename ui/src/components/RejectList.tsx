import type { Reject } from '../api/types';
import { formatCount, formatPercent } from '../lib/format';
import { sortRows } from '../lib/sort';
import styles from './RejectList.module.css';
import { Skeleton } from './Skeleton';

/** Why shares were refused, the most frequent reason first, and what their owners can do. */
export function RejectList(props: {
  /** Undefined while loading. */
  rejects: readonly Reject[] | undefined;
  /** All shares, accepted and rejected. */
  all: number;
}) {
  const { rejects, all } = props;
  const occurred =
    rejects &&
    sortRows(
      rejects.filter((r) => r.count > 0),
      (r) => r.count,
      true,
    );
  return (
    <ul className={styles.list}>
      {occurred?.map((r) => (
        <li key={r.reason}>
          <p className={styles.head}>
            <span className={styles.text}>{r.text}</span>
            <span className={styles.count}>
              {formatCount(r.count)}
              <small> {formatPercent(r.count / Math.max(all, 1))}</small>
            </span>
          </p>
          <p className={styles.advice}>{r.advice}</p>
        </li>
      )) ?? (
        <li>
          <Skeleton width="30ch" />
        </li>
      )}
    </ul>
  );
}
