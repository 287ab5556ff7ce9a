import { ArrowDown, ArrowUp } from 'lucide-react';
import type { Sort } from '../lib/sort';
import styles from './ColumnHeader.module.css';

interface ColumnHeaderProps<K extends string> {
  column: {
    key: K;
    header: string;
    /** What the column sorts by; without it, it does not. */
    value?: unknown;
    numeric?: boolean;
    /** It holds buttons, which need no header to be seen. */
    actions?: boolean;
  };
  sort: Sort<K>;
  onSort: (key: K, numeric: boolean) => void;
}

/** The header of a column in a table that is made of roles; it sorts by the column. */
export function ColumnHeader<K extends string>(props: ColumnHeaderProps<K>) {
  const { column, sort, onSort } = props;
  const active = sort.key === column.key;
  const Icon = sort.descending ? ArrowDown : ArrowUp;
  return (
    <span
      role="columnheader"
      data-numeric={column.numeric}
      aria-sort={active ? (sort.descending ? 'descending' : 'ascending') : undefined}
    >
      {column.value ? (
        <button
          type="button"
          className={styles.sort}
          onClick={() => {
            onSort(column.key, column.numeric === true);
          }}
        >
          {column.header}
          <Icon size={13} aria-hidden="true" className={styles.arrow} data-active={active} />
        </button>
      ) : (
        <span className={column.actions ? 'visually-hidden' : undefined}>{column.header}</span>
      )}
    </span>
  );
}
