import type { ReactNode } from 'react';
import { Skeleton } from './Skeleton';
import styles from './Figures.module.css';

/** The figures that a page is about, six of them in a band. */
export function Figures({ label, children }: { label: string; children: ReactNode }) {
  return (
    <section className={styles.band} aria-label={label}>
      <dl className={styles.grid}>{children}</dl>
    </section>
  );
}

interface FigureProps {
  label: string;
  /** Undefined while loading. */
  value: ReactNode | undefined;
  unit?: string | undefined;
  note?: ReactNode;
  /** What it counts, where a word or two do not say it all. */
  title?: string | undefined;
  hero?: boolean;
}

/** A figure, its unit, and a line of what to make of it. */
export function Figure({ label, value, unit, note, title, hero = false }: FigureProps) {
  return (
    <div className={hero ? styles.hero : styles.figure} title={title}>
      <dt>{label}</dt>
      <dd className={styles.value}>
        {value ?? <Skeleton width="4ch" />}
        {value !== undefined && unit !== undefined && <span className={styles.unit}>{unit}</span>}
      </dd>
      <dd className={styles.note}>{value === undefined ? <Skeleton width="14ch" /> : note}</dd>
    </div>
  );
}
