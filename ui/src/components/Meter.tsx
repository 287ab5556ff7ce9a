import { formatPercent } from '../lib/format';
import styles from './Meter.module.css';

/** A share of one as a bar and as per cent. */
export function Meter({ part }: { part: number }) {
  return (
    <span className={styles.meter}>
      <span className={styles.bar} aria-hidden="true">
        <span style={{ width: `${Math.min(Math.max(part, 0), 1) * 100}%` }} />
      </span>
      {formatPercent(part)}
    </span>
  );
}
