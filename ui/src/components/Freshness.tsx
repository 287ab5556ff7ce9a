import { TriangleAlert } from 'lucide-react';
import { errorText } from '../api/client';
import { formatClock } from '../lib/format';
import { Time } from './Time';
import styles from './Freshness.module.css';

/**
 * How old polled figures are; where fetching fails, that they are old, and why.
 * It takes the same room either way.
 */
export function Freshness(props: {
  /** When the server made them. */
  at: string | undefined;
  /** When they were fetched, ms since 1970. */
  fetchedAt: number;
  error: Error | null;
}) {
  const { at, fetchedAt, error } = props;
  return (
    <span className={styles.freshness} data-old={error !== null} role="status">
      {error === null ? (
        at !== undefined && (
          <span aria-hidden="true">
            <Time at={at} />
          </span>
        )
      ) : (
        <>
          <TriangleAlert size={14} aria-hidden="true" />
          <span title={errorText(error)}>
            {error instanceof TypeError ? 'No answer' : 'Not renewed'}: from{' '}
            {formatClock(fetchedAt)}
          </span>
        </>
      )}
    </span>
  );
}
