import type { ReactNode, Ref } from 'react';
import { formatCount } from '../lib/format';
import { Button } from './Button';
import styles from './LongList.module.css';
import { Skeleton } from './Skeleton';

interface LongListProps {
  label: string;
  ref?: Ref<HTMLElement>;
  children: ReactNode;
}

/** The frame of a list that scrolls in itself, and of its foot. */
export function LongList({ ref, label, children }: LongListProps) {
  return (
    <section className={styles.frame} ref={ref} aria-label={label}>
      {children}
    </section>
  );
}

/** Below a list: how much of it there is, and what can be done with it; `aside` at the other end. */
export function LongListFoot({ aside, children }: { aside?: ReactNode; children: ReactNode }) {
  return (
    <div className={styles.foot}>
      {children}
      {aside && <span className={styles.aside}>{aside}</span>}
    </div>
  );
}

interface ShownCountProps {
  shown: number;
  all: number;
  /** Those that the server did not send, as there are too many. */
  truncated: number | undefined;
}

/** How many of all rows a list shows. */
export function ShownCount({ shown, all, truncated }: ShownCountProps) {
  return (
    <span>
      {shown === all ? `All ${formatCount(shown)}` : `${formatCount(shown)} of ${formatCount(all)}`}
      {truncated !== undefined && `; ${formatCount(truncated)} more are not listed`}
    </span>
  );
}

/** Says that fresh figures have not moved the rows, and lets them. */
export function HeldNote({ onSort }: { onSort: () => void }) {
  return (
    <span className={styles.held}>
      Held in place while you read{' '}
      <Button small onClick={onSort}>
        Sort now
      </Button>
    </span>
  );
}

/** In place of a list that is on its way. */
export function LongListLoading() {
  return (
    <div className={styles.loading} aria-busy="true">
      <span className="visually-hidden">The list is on its way</span>
      {Array.from({ length: 8 }, (_, i) => (
        <p key={i}>
          <Skeleton width="24ch" />
          <Skeleton width="9ch" />
        </p>
      ))}
    </div>
  );
}
