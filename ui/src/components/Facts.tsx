import type { ReactNode } from 'react';
import { Skeleton } from './Skeleton';
import styles from './Facts.module.css';

/** Names and their values, one pair a line. An undefined value is still loading. */
export function Facts({ items }: { items: readonly (readonly [string, ReactNode | undefined])[] }) {
  return (
    <dl className={styles.facts}>
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value ?? <Skeleton />}</dd>
        </div>
      ))}
    </dl>
  );
}
