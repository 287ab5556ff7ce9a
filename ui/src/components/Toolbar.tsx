import type { ReactNode } from 'react';
import styles from './Toolbar.module.css';

/** What a list is searched, sorted and changed by, above it. */
export function Toolbar({ children }: { children: ReactNode }) {
  return <div className={styles.toolbar}>{children}</div>;
}
