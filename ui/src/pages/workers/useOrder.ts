import { useState } from 'react';
import type { WorkerRow } from '../../api/workers';
import type { Sort } from '../../lib/sort';
import { COLUMNS } from './columns';
import { keepOrder, sortAgain } from './list';

interface Ordered {
  rows: WorkerRow[];
  source: readonly WorkerRow[];
  sort: Sort<string>;
  /** Whether the figures have moved on since the rows were sorted. */
  held: boolean;
}

const NOTHING: readonly WorkerRow[] = [];

/**
 * Sorted rows. While somebody is at them (`hold`), fresh figures do not move
 * them: they are sorted again when a header is clicked, `sortNow` is called, or
 * nobody is at them any more when figures arrive.
 */
export function useOrder(
  source: readonly WorkerRow[] = NOTHING,
  sort: Sort<string>,
  hold: boolean,
): { rows: readonly WorkerRow[]; held: boolean; sortNow: () => void } {
  const [ordered, setOrdered] = useState<Ordered>(() => arrange([], source, sort));

  // The order is a matter of what came before, so it is made while rendering.
  let now = ordered;
  const sorted = ordered.sort.key === sort.key && ordered.sort.descending === sort.descending;
  if (ordered.source !== source || !sorted) {
    now =
      hold && sorted && ordered.rows.length > 0
        ? { rows: keepOrder(ordered.rows, source), source, sort, held: true }
        : arrange(ordered.rows, source, sort);
    setOrdered(now);
  }
  return {
    rows: now.rows,
    held: now.held,
    sortNow: () => {
      setOrdered(arrange(now.rows, source, sort));
    },
  };
}

function arrange(
  before: readonly WorkerRow[],
  source: readonly WorkerRow[],
  sort: Sort<string>,
): Ordered {
  const column = COLUMNS.find((c) => c.key === sort.key) ?? COLUMNS[0];
  const rows = column ? sortAgain(before, source, column.value, sort.descending) : [...source];
  return { rows, source, sort, held: false };
}
