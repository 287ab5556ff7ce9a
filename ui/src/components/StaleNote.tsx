import { errorText } from '../api/client';
import { formatClock } from '../lib/format';
import styles from './StaleNote.module.css';

/** Says that figures are old, since fetching them anew failed. Nothing otherwise. */
export function StaleNote(props: { error: unknown; updatedAt: number }) {
  const { error, updatedAt } = props;
  return (
    <p className={styles.note} role="status">
      {error !== null &&
        updatedAt > 0 &&
        `These figures are from ${formatClock(updatedAt)}. ${errorText(error)}`}
    </p>
  );
}
