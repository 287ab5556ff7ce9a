import { ArrowDown, ArrowUp } from 'lucide-react';
import type { Sort } from '../lib/sort';
import { Button } from './Button';
import { Field } from './Field';
import styles from './SortField.module.css';

interface SortFieldProps {
  /** Those with a `value` can be sorted by. */
  columns: readonly { key: string; header: string; value?: unknown; numeric?: boolean }[];
  sort: Sort<string>;
  onSort: (sort: Sort<string>) => void;
  /** Only on narrow screens, where there are no headers to click. */
  narrow?: boolean;
}

/** Sorting by any column, also by those that there is no room for. */
export function SortField({ columns, sort, onSort, narrow = false }: SortFieldProps) {
  const Icon = sort.descending ? ArrowDown : ArrowUp;
  return (
    <span className={styles.sort} data-narrow={narrow}>
      <Field label="Sort by">
        <select
          value={sort.key}
          onChange={(event) => {
            const column = columns.find((c) => c.key === event.target.value);
            if (column) onSort({ key: column.key, descending: column.numeric === true });
          }}
        >
          {columns
            .filter((c) => c.value)
            .map((c) => (
              <option key={c.key} value={c.key}>
                {c.header}
              </option>
            ))}
        </select>
      </Field>
      <Button
        aria-label={sort.descending ? 'Largest first; turn round' : 'Smallest first; turn round'}
        onClick={() => {
          onSort({ ...sort, descending: !sort.descending });
        }}
      >
        <Icon size={15} aria-hidden="true" />
      </Button>
    </span>
  );
}
