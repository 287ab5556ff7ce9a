import type { ReactNode } from 'react';
import styles from './Field.module.css';

/** An input with its name before it; `hidden` leaves the name to screen readers. */
export function Field(props: { label: string; hidden?: boolean; children: ReactNode }) {
  return (
    <label className={styles.field}>
      <span className={props.hidden === true ? 'visually-hidden' : undefined}>{props.label}</span>
      {props.children}
    </label>
  );
}
