import {
  useImperativeHandle,
  useRef,
  useState,
  type CSSProperties,
  type KeyboardEvent,
  type MouseEvent,
  type Ref,
} from 'react';
import type { WorkerRow } from '../../api/workers';
import { ColumnHeader } from '../../components/ColumnHeader';
import { useVirtualRows } from '../../components/useVirtualRows';
import { useMediaQuery } from '../../lib/media';
import type { Sort } from '../../lib/sort';
import { useWidth } from '../../lib/useWidth';
import { columnsFor, type WorkerColumn } from './columns';
import { between } from './list';
import { WorkerCard, WorkerLine } from './WorkerLine';
import styles from './WorkerTable.module.css';

/** Height of a row, px: one line on a desk, three on a phone. */
const ROW = 40;
const CARD = 92;

/** Cells of a card, which has no columns. */
const CARD_CELLS = 5;

/** Rows beyond the edges of what is seen. */
const OVERSCAN = 10;

export interface TableHandle {
  focus: () => void;
  toTop: () => void;
}

interface WorkerTableProps {
  ref: Ref<TableHandle>;
  rows: readonly WorkerRow[];
  sort: Sort<string>;
  onSort: (key: string, numeric: boolean) => void;
  selected: ReadonlySet<string>;
  onSelect: (ids: ReadonlySet<string>) => void;
  onToggle: (id: string) => void;
  onOpen: (id: string) => void;
  /** A character that was typed in the table: it belongs to the search. */
  onType: (character: string) => void;
  /** Whether somebody is at it, so that rows should stay where they are. */
  onHold: (reason: 'pointer' | 'focus' | 'scroll', holds: boolean) => void;
}

/**
 * All workers that are shown, of which only those in view are in the document.
 * It has the focus as a whole; a mark moves through it.
 */
export function WorkerTable(props: WorkerTableProps) {
  const { rows, sort, onSort, selected, onSelect, onToggle, onOpen, onType, onHold, ref } = props;
  const narrow = useMediaQuery('(max-width: 40rem)');
  const height = narrow ? CARD : ROW;
  const scroller = useRef<HTMLDivElement>(null);
  const width = useWidth(scroller);
  const columns = columnsFor(width);
  const [marked, setMarked] = useState<string>();
  const anchor = useRef<number>(null);

  const virtual = useVirtualRows(scroller, { count: rows.length, height, overscan: OVERSCAN });

  useImperativeHandle(ref, () => ({
    focus: () => scroller.current?.focus(),
    toTop: () => scroller.current?.scrollTo({ top: 0 }),
  }));

  const markedAt = marked === undefined ? -1 : rows.findIndex((w) => w.id === marked);

  const mark = (index: number, extend: boolean) => {
    const at = Math.min(Math.max(index, 0), rows.length - 1);
    const row = rows[at];
    if (!row) return;
    setMarked(row.id);
    virtual.scrollToIndex(at);
    if (extend) {
      anchor.current ??= Math.max(markedAt, 0);
      onSelect(new Set(between(rows, anchor.current, at)));
    } else {
      anchor.current = null;
    }
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || event.altKey) return;
    const page = Math.max(Math.floor((scroller.current?.clientHeight ?? 0) / height) - 1, 1);
    const from = markedAt < 0 ? virtual.first - 1 : markedAt;
    const steps: Record<string, number> = {
      ArrowDown: from + 1,
      ArrowUp: markedAt < 0 ? virtual.first : markedAt - 1,
      PageDown: from + page,
      PageUp: from - page,
      Home: 0,
      End: rows.length - 1,
    };
    const command = event.ctrlKey || event.metaKey;
    const to = steps[event.key];
    if (to !== undefined && !command) mark(to, event.shiftKey);
    else if (command && event.key.toLowerCase() === 'a') onSelect(new Set(rows.map((w) => w.id)));
    else if (command) return;
    else if (event.key === 'Enter' && marked !== undefined && markedAt >= 0) onOpen(marked);
    else if (event.key === ' ' && marked !== undefined) onToggle(marked);
    else if (event.key === 'Escape' && selected.size > 0) onSelect(new Set());
    else if (event.key.length === 1 && event.key !== ' ') onType(event.key);
    else return;
    event.preventDefault();
  };

  // Repeats for the mouse what the keys do.
  const onClick = (event: MouseEvent) => {
    const target = event.target as Element;
    const at = Number(target.closest<HTMLElement>('[data-index]')?.dataset.index ?? NaN);
    const row = rows[at];
    if (!row || target.closest('a, input, button')) return;
    if (event.shiftKey) {
      anchor.current ??= Math.max(markedAt, 0);
      onSelect(new Set(between(rows, anchor.current, at)));
    } else {
      anchor.current = at;
      if (event.ctrlKey || event.metaKey) onToggle(row.id);
    }
    setMarked(row.id);
  };

  const Line = narrow ? WorkerCard : WorkerLine;
  const active = virtual.items.some((item) => item.index === markedAt);
  return (
    <div
      ref={scroller}
      className={styles.scroller}
      role="grid"
      tabIndex={0}
      aria-label="Workers. Arrow keys move, Enter opens, Space selects, typing searches."
      aria-rowcount={narrow ? rows.length : rows.length + 1}
      aria-colcount={narrow ? CARD_CELLS : columns.length + 1}
      aria-multiselectable="true"
      aria-activedescendant={active ? `worker-${marked ?? ''}` : undefined}
      style={{ '--columns': template(columns) } as CSSProperties}
      onKeyDown={onKeyDown}
      onScroll={(event) => {
        onHold('scroll', event.currentTarget.scrollTop > 0);
      }}
      onPointerEnter={(event) => {
        if (event.pointerType === 'mouse') onHold('pointer', true);
      }}
      onPointerLeave={() => {
        onHold('pointer', false);
      }}
      onFocus={() => {
        onHold('focus', true);
      }}
      onBlur={() => {
        onHold('focus', false);
      }}
    >
      {!narrow && (
        <div role="rowgroup" className={styles.head}>
          <div role="row" aria-rowindex={1} className={styles.row}>
            <span role="columnheader">
              <span className="visually-hidden">Selected</span>
            </span>
            {columns.map((c) => (
              <ColumnHeader key={c.key} column={c} sort={sort} onSort={onSort} />
            ))}
          </div>
        </div>
      )}
      {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions -- the grid has the focus and takes the keys */}
      <div
        role="rowgroup"
        className={styles.body}
        style={{ height: virtual.total }}
        onClick={onClick}
      >
        <div style={{ transform: `translateY(${virtual.offset}px)` }} role="presentation">
          {virtual.items.map(({ index }) => {
            const row = rows[index];
            return (
              row && (
                <Line
                  key={row.id}
                  row={row}
                  columns={columns}
                  index={index}
                  marked={row.id === marked}
                  selected={selected.has(row.id)}
                  onToggle={onToggle}
                />
              )
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** The columns' widths as CSS has them. */
function template(columns: readonly WorkerColumn[]): string {
  const widths = columns.map((c) =>
    c.key === 'name' ? `minmax(${c.width}px, 1fr)` : `${c.width}px`,
  );
  return `18px ${widths.join(' ')}`;
}
