import { Button } from '../../../components/Button';
import { formatCount } from '../../../lib/format';
import styles from './SessionPage.module.css';

/** Says how many rows of a list are shown, and shows five times as many. */
export function ShowMore(props: { most: number; limit: number; onMore: (most: number) => void }) {
  const { most, limit, onMore } = props;
  if (most >= limit) return null;
  return (
    <p className={styles.more}>
      The newest {formatCount(most)}.{' '}
      <Button
        small
        onClick={() => {
          onMore(Math.min(most * 5, limit));
        }}
      >
        Show more
      </Button>
    </p>
  );
}
