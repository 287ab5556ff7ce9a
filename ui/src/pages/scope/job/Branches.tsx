import type { CSSProperties } from 'react';
import type { DecodedJob } from '../../../scope/types';
import styles from './JobView.module.css';

type Branch = NonNullable<DecodedJob['merkle_branches']>[number];

/** Merkle branches as coloured cells: equal colours are equal hashes, so jobs are compared at a glance. */
export function Branches({ branches }: { branches: readonly Branch[] }) {
  if (branches.length === 0) return <p className={styles.note}>None: an empty block.</p>;
  return (
    <ol className={styles.branches} aria-label="Merkle branches">
      {branches.map((b, i) => (
        <li
          key={i}
          className={styles.cell}
          title={b.hash}
          style={{ '--hue': b.hue } as CSSProperties}
        >
          {b.hash.slice(0, 8)}
        </li>
      ))}
    </ol>
  );
}
