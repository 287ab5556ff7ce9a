import { useState } from 'react';
import type { Sort } from '../../lib/sort';
import { keepOrder, sortAgain } from './list';

interface Ordered<T> {
  rows: T[];
  source: readonly T[];
  sort: Sort<string>;
  /** Whether the figures have moved on since the rows were sorted. */
  held: boolean;
}

/** What a row is sorted by, by the column's key. */
type Columns<T> = readonly { key: string; value?: (row: T) => number | string }[];

const NOTHING: readonly never[] = [];

/**
 * Sorted rows. While somebody is at them (`hold`), fresh figures do not move
 * them: they are sorted again when a header is clicked, `sortNow` is called, or
 * nobody is at them any more when figures arrive.
 */
export function useOrder<T extends { id: string }>(
  source: readonly T[] = NOTHING,
  sort: Sort<string>,
  hold: boolean,
  columns: Columns<T>,
): { rows: readonly T[]; held: boolean; sortNow: () => void } {
  const [ordered, setOrdered] = useState<Ordered<T>>(() => arrange([], source, sort, columns));

  // The order is a matter of what came before, so it is made while rendering.
  let now = ordered;
  const sorted = ordered.sort.key === sort.key && ordered.sort.descending === sort.descending;
  if (ordered.source !== source || !sorted) {
    now =
      hold && sorted && ordered.rows.length > 0
        ? { rows: keepOrder(ordered.rows, source), source, sort, held: true }
        : arrange(ordered.rows, source, sort, columns);
    setOrdered(now);
  }
  return {
    rows: now.rows,
    held: now.held,
    sortNow: () => {
      setOrdered(arrange(now.rows, source, sort, columns));
    },
  };
}

function arrange<T extends { id: string }>(
  before: readonly T[],
  source: readonly T[],
  sort: Sort<string>,
  columns: Columns<T>,
): Ordered<T> {
  const value = (columns.find((c) => c.key === sort.key) ?? columns[0])?.value;
  const rows = value ? sortAgain(before, source, value, sort.descending) : [...source];
  return { rows, source, sort, held: false };
}
