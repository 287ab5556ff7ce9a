import styles from './Skeleton.module.css';

/** Holds the place of a text that is on its way, as wide as it will be. */
export function Skeleton({ width = '6ch' }: { width?: string }) {
  return <span className={styles.bar} style={{ width }} aria-hidden="true" />;
}
