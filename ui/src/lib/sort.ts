/** Which column a table is sorted by, and which way. */
export interface Sort<K extends string> {
  key: K;
  descending: boolean;
}

/** The sort after a click on `key`: the other way if it was that one already. */
export function nextSort<K extends string>(
  current: Sort<K>,
  key: K,
  descendingFirst: boolean,
): Sort<K> {
  if (current.key === key) return { key, descending: !current.descending };
  return { key, descending: descendingFirst };
}

// Names with numbers in them sort as people count: rig2 before rig10.
const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** A sorted copy. Equal rows keep their order, so that a live table does not flicker. */
export function sortRows<T>(
  rows: readonly T[],
  value: (row: T) => number | string,
  descending: boolean,
): T[] {
  const sign = descending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const x = value(a);
    const y = value(b);
    if (typeof x === 'number' && typeof y === 'number') return sign * (x - y);
    return sign * collator.compare(String(x), String(y));
  });
}
