import { errorText } from '../api/client';
import { useLive, useView } from '../api/LiveProvider';
import { useLocalNow } from '../lib/clock';
import { formatClock, formatDuration, sentence } from '../lib/format';
import styles from './Connection.module.css';

/** Figures older than this are called old, milliseconds. */
const OLD = 15_000;

/** Whether the figures on the page arrive as they happen. */
export function LiveBadge() {
  const { phase } = useLive();
  const text = {
    connecting: 'Connecting',
    live: 'Live',
    waiting: 'Reconnecting',
    reconnecting: 'Reconnecting',
  }[phase];
  return (
    <span className={styles.badge} data-phase={phase} role="status" data-testid="live">
      <i className={styles.light} aria-hidden="true" />
      <span className={styles.word}>{text}</span>
    </span>
  );
}

/**
 * The strip at the foot of the window while the live connection is lost. It
 * lies over the page, so that nothing moves, and waits a moment before it
 * shows, so that a blink of the network is not made a drama of.
 */
export function ConnectionStrip() {
  const { phase, attempts, retryAt, retryNow } = useLive();
  const { dataUpdatedAt, error } = useView('status');
  const now = useLocalNow();
  if (phase === 'live' || (phase === 'connecting' && attempts === 0)) return null;

  const age = now - dataUpdatedAt;
  const dead = error !== null || age > OLD;
  const pause = retryAt === undefined ? 0 : Math.max(Math.ceil((retryAt - now) / 1000), 0);
  return (
    <aside className={styles.strip} data-dead={dead} aria-label="Connection">
      <p>
        <strong>
          {dead
            ? sentence(error ? errorText(error) : 'The server is silent')
            : 'The live connection was lost.'}
        </strong>{' '}
        {dead
          ? dataUpdatedAt > 0 && `The figures are from ${formatClock(dataUpdatedAt)}.`
          : 'The figures are fetched every few seconds meanwhile.'}
      </p>
      {phase === 'waiting' ? (
        <button type="button" className={styles.retry} onClick={retryNow}>
          {pause > 0 ? `Next try in ${formatDuration(pause)}. Try now` : 'Try now'}
        </button>
      ) : (
        <span className={styles.trying}>Trying…</span>
      )}
    </aside>
  );
}
