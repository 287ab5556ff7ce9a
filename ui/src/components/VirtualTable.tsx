import { useEffect, useRef, type CSSProperties, type ReactNode } from 'react';
import { useMediaQuery } from '../lib/media';
import type { Sort } from '../lib/sort';
import { useWidth } from '../lib/useWidth';
import { ColumnHeader } from './ColumnHeader';
import { useVirtualRows } from './useVirtualRows';
import styles from './VirtualTable.module.css';

export interface VirtualColumn<T, K extends string = string> {
  key: K;
  header: string;
  cell: (row: T) => ReactNode;
  /** What the column sorts by; without it, it does not. */
  value?: (row: T) => number | string;
  numeric?: boolean;
  /** Width, px. */
  width: number;
  /** Takes what room is left, several by their widths. */
  grows?: boolean;
  /** It gives way where there is no room, the largest number first; without one it stays. */
  rank?: number;
  /** It holds buttons, whose focus rings need room. */
  actions?: boolean;
}

interface VirtualTableProps<T, K extends string> {
  label: string;
  columns: readonly VirtualColumn<T, K>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  sort: Sort<K>;
  onSort: (key: K, numeric: boolean) => void;
  /** A row where there is no room for columns. */
  card: (row: T) => ReactNode;
  /** Heights of a row and of a card, px. */
  heights: { row: number; card: number };
  /** Whether somebody is at the table, so that its rows should stay where they are. */
  onHold?: (holds: boolean) => void;
}

/** Rows beyond the edges of what is seen. */
const OVERSCAN = 8;

/** Room between columns, and beside a row, px; as in the style sheet. */
const GAP = 12;
const EDGES = 28;

/** The columns that there is room for. */
function fitting<C extends { width: number; rank?: number }>(
  columns: readonly C[],
  width: number,
): C[] {
  const shown = [...columns];
  const room = () => shown.reduce((sum, c) => sum + c.width + GAP, EDGES - GAP);
  while (width > 0 && room() > width) {
    const next = shown.reduce((most, c) => Math.max(most, c.rank ?? 0), 0);
    if (next === 0) break;
    shown.splice(
      shown.findIndex((c) => c.rank === next),
      1,
    );
  }
  return shown;
}

/** A long table, of which only what is in view is in the document. */
export function VirtualTable<T, K extends string>(props: VirtualTableProps<T, K>) {
  const { label, rows, rowKey, sort, onSort, card, heights, onHold } = props;
  const narrow = useMediaQuery('(max-width: 45rem)');
  const height = narrow ? heights.card : heights.row;
  const scroller = useRef<HTMLDivElement>(null);
  const columns = fitting(props.columns, useWidth(scroller));

  const virtual = useVirtualRows(scroller, { count: rows.length, height, overscan: OVERSCAN });

  // What the rows are sorted by has changed: they begin at the top again.
  useEffect(() => {
    scroller.current?.scrollTo({ top: 0 });
  }, [sort.key, sort.descending]);

  const template = columns.map((c) =>
    c.grows ? `minmax(${c.width}px, ${c.width}fr)` : `${c.width}px`,
  );
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- it only notes that somebody is there
    <div
      ref={scroller}
      className={styles.scroller}
      data-narrow={narrow}
      role="table"
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, which the keys must be able to do
      tabIndex={0}
      aria-label={label}
      aria-rowcount={narrow ? rows.length : rows.length + 1}
      aria-colcount={narrow ? 1 : columns.length}
      style={{ '--columns': template.join(' '), '--row': `${height}px` } as CSSProperties}
      onPointerEnter={(event) => {
        if (event.pointerType === 'mouse') onHold?.(true);
      }}
      onPointerLeave={() => onHold?.(false)}
      onFocus={() => onHold?.(true)}
      onBlur={() => onHold?.(false)}
    >
      {!narrow && (
        <div role="rowgroup" className={styles.head}>
          <div role="row" aria-rowindex={1} className={styles.row}>
            {columns.map((c) => (
              <ColumnHeader key={c.key} column={c} sort={sort} onSort={onSort} />
            ))}
          </div>
        </div>
      )}
      <div role="rowgroup" className={styles.body} style={{ height: virtual.total }}>
        <div style={{ transform: `translateY(${virtual.offset}px)` }} role="presentation">
          {virtual.items.map(({ index }) => {
            const row = rows[index];
            if (row === undefined) return null;
            return narrow ? (
              <div key={rowKey(row)} role="row" aria-rowindex={index + 1} className={styles.card}>
                <div role="cell">{card(row)}</div>
              </div>
            ) : (
              <div key={rowKey(row)} role="row" aria-rowindex={index + 2} className={styles.row}>
                {columns.map((c) => (
                  <span key={c.key} role="cell" data-numeric={c.numeric} data-actions={c.actions}>
                    {c.cell(row)}
                  </span>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
