import { spark, type SparkPoint } from '../lib/sparkline';
import styles from './Sparkline.module.css';

interface SparklineProps {
  points: readonly SparkPoint[];
  /** Milliseconds since 1970. */
  from: number;
  to: number;
  /** Points further apart than so many ms are not joined. */
  gap: number;
  /** What it shows, in words. */
  label: string;
}

const WIDTH = 120;
const HEIGHT = 28;

/** A day at a glance: no axes, no numbers, only how it went. */
export function Sparkline({ points, from, to, gap, label }: SparklineProps) {
  const { line, area } = spark(points, { width: WIDTH, height: HEIGHT, from, to, gap });
  return (
    <svg
      className={styles.spark}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path className={styles.ground} d={`M0 ${HEIGHT - 1.5}H${WIDTH}`} />
      <path className={styles.area} d={area} />
      <path className={styles.line} d={line} />
    </svg>
  );
}
