import type { ReactNode } from 'react';
import { errorText } from '../api/client';
import styles from './Message.module.css';

/** What a panel says when it has nothing to show, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={styles.empty}>
      <p className={styles.title}>{title}</p>
      {children !== undefined && <div className={styles.text}>{children}</div>}
    </div>
  );
}

/** A panel whose data could not be had. It is fetched again by itself. */
export function Failure({ error }: { error: unknown }) {
  return <Empty title="Not available right now">{errorText(error)}</Empty>;
}
