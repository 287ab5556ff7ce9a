import type { ReactNode } from 'react';
import styles from './Pill.module.css';

export type Tone = 'neutral' | 'good' | 'gold' | 'warn' | 'bad';

/** A short state in a word or two. The tone repeats what the words say. */
export function Pill({ tone = 'neutral', children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`${styles.pill ?? ''} ${styles[tone] ?? ''}`}>{children}</span>;
}
