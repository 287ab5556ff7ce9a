import { useVirtualizer } from '@tanstack/react-virtual';
import {
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
  type KeyboardEvent,
  type Ref,
} from 'react';
import { useMediaQuery } from '../../../lib/media';
import type { FeedState } from '../../../scope/feedState';
import type { Row } from '../../../scope/rows';
import {
  anchored,
  everything,
  extended,
  NOTHING,
  toggled,
  type Selection,
} from '../../../scope/selection';
import { GapLine, MessageLine } from './MessageLine';
import styles from './MessageTable.module.css';

/** Height of a row, px: one line on a desk, two on a phone. */
const ROW = 34;
const CARD = 58;

/** Rows beyond the edges of what is seen. */
const OVERSCAN = 12;

/** Rows from the end at which older ones are fetched. */
const NEAR_END = 40;

/** Arrivals a second above which rows do not flash: a flood is no news. */
const FLOOD = 25;

const COLUMNS = [
  'Time',
  'Session',
  'Direction',
  'Method',
  'ID',
  'Params or result',
  'Size',
  'Latency',
  'Verdict',
];

export interface TableHandle {
  toTop: () => void;
  /** Brings a row into view, and marks it. */
  reveal: (seq: number) => void;
  focus: () => void;
}

interface MessageTableProps {
  ref: Ref<TableHandle>;
  state: FeedState;
  open: string | undefined;
  selection: Selection;
  onSelect: (selection: Selection) => void;
  onOpen: (id: string) => void;
  /** Whether the newest row is in view. */
  onFollowing: (following: boolean) => void;
  onEnd: () => void;
  /** The newest row that is loaded is near. */
  onStart: () => void;
}

/**
 * The messages, newest first, of which only those in view are in the document.
 * New ones push the others down only while the top is in view; further down
 * what somebody reads stays where it is.
 */
export function MessageTable(props: MessageTableProps) {
  const { state, open, selection, onSelect, onOpen, onFollowing, onEnd, onStart, ref } = props;
  const { rows, moreNewer } = state;
  const narrow = useMediaQuery('(max-width: 40rem)');
  const height = narrow ? CARD : ROW;
  const scroller = useRef<HTMLDivElement>(null);
  const anchor = useRef<{ seq: number; offset: number }>(null);
  const report = useRef<(offset: number) => void>(null);
  const [marked, setMarked] = useState<number>();

  const observeOffset = useCallback(
    (_: unknown, callback: (offset: number, isScrolling: boolean) => void) => {
      const element = scroller.current;
      if (!element) return;
      const onScroll = () => {
        callback(element.scrollTop, false);
      };
      report.current = (offset) => {
        callback(offset, false);
      };
      element.addEventListener('scroll', onScroll, { passive: true });
      return () => {
        element.removeEventListener('scroll', onScroll);
      };
    },
    [],
  );

  // eslint-disable-next-line react-hooks/incompatible-library -- nothing here is memoised by what it returns
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: OVERSCAN,
    observeElementOffset: observeOffset,
  });
  useEffect(() => {
    virtualizer.measure();
  }, [virtualizer, height]);

  /** The row at an index from the top; the newest is 0. */
  const at = (index: number): Row | undefined => rows[rows.length - 1 - index];

  // Keeps what is read where it is, whatever came above it.
  useLayoutEffect(() => {
    const element = scroller.current;
    const held = anchor.current;
    if (!element || !held) return;
    const index = indexOf(rows, held.seq);
    const offset = index * height + held.offset;
    if (index < 0 || Math.abs(offset - element.scrollTop) < 1) return;
    element.scrollTop = offset;
    report.current?.(offset);
  }, [rows, height]);

  const hold = () => {
    const element = scroller.current;
    if (!element) return;
    const top = element.scrollTop;
    const index = Math.floor(top / height);
    const row = at(index);
    // At the top of a part of the past, what is loaded above must not push.
    const following = top < height / 2 && !moreNewer;
    anchor.current = following || !row ? null : { seq: row.seq, offset: top - index * height };
    onFollowing(following);
  };

  const items = virtualizer.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? -1;

  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - NEAR_END) onEnd();
  }, [last, rows.length, onEnd]);

  useEffect(() => {
    if (rows.length > 0 && moreNewer && first <= NEAR_END) onStart();
  }, [first, rows.length, moreNewer, onStart]);

  useImperativeHandle(ref, () => ({
    toTop: () => {
      anchor.current = null;
      scroller.current?.scrollTo({ top: 0 });
    },
    reveal: (seq) => {
      const element = scroller.current;
      const index = indexOf(rows, seq);
      if (!element || index < 0) return;
      setMarked(seq);
      onSelect(anchored(seq));
      anchor.current = null;
      element.scrollTop = Math.max(index * height - element.clientHeight / 3, 0);
      report.current?.(element.scrollTop);
      hold();
    },
    focus: () => scroller.current?.focus(),
  }));

  const mark = (index: number, extend = false) => {
    const row = at(Math.min(Math.max(index, 0), rows.length - 1));
    if (!row) return;
    setMarked(row.seq);
    onSelect(extend ? extended(begun, rows, row.seq) : anchored(row.seq));
    virtualizer.scrollToIndex(indexOf(rows, row.seq));
    if (open !== undefined && row.kind === 'message' && !extend) onOpen(row.id);
  };
  /** A range begins at the marked row when nothing else was said. */
  const begun =
    selection.anchor === undefined && marked !== undefined ? anchored(marked) : selection;

  const onKeyDown = (event: KeyboardEvent) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'a') {
      onSelect(everything(selection, rows));
      event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const extend = event.shiftKey;
    const known = marked === undefined ? -1 : indexOf(rows, marked);
    const page = Math.max(Math.floor((scroller.current?.clientHeight ?? 0) / height) - 1, 1);
    switch (event.key) {
      case 'ArrowDown':
      case 'j':
        mark(known < 0 ? first : known + 1, extend);
        break;
      case 'ArrowUp':
      case 'k':
        mark(known < 0 ? first : known - 1, extend);
        break;
      case 'PageDown':
        mark(known + page, extend);
        break;
      case 'PageUp':
        mark(known - page, extend);
        break;
      case 'Home':
        mark(0, extend);
        break;
      case 'End':
        mark(rows.length - 1, extend);
        break;
      case ' ': {
        const row = at(known);
        if (row?.kind === 'message') onSelect(toggled(selection, row.seq));
        break;
      }
      case 'Escape':
        if (selection.seqs.size === 0) return;
        onSelect(NOTHING);
        break;
      case 'Enter': {
        const row = at(known);
        if (row?.kind === 'message') onOpen(row.id);
        break;
      }
      default:
        return;
    }
    event.preventDefault();
  };

  const flashing = arrivals(rows) < FLOOD;
  const visible = Array.from({ length: last - first + 1 }, (_, i) => at(first + i));
  const active = marked !== undefined && visible.some((r) => r?.seq === marked);

  return (
    <div
      ref={scroller}
      className={styles.scroller}
      role="grid"
      tabIndex={0}
      aria-label="Messages, newest first. Arrow keys or j and k move, Enter opens, Space or Shift and arrows select."
      aria-multiselectable
      aria-rowcount={rows.length + 1}
      aria-colcount={COLUMNS.length}
      aria-busy={state.loading}
      aria-activedescendant={active ? `row-${String(marked)}` : undefined}
      onScroll={hold}
      onKeyDown={onKeyDown}
    >
      <div role="rowgroup" className={styles.head}>
        <div role="row" aria-rowindex={1} className={styles.row}>
          {COLUMNS.map((name) => (
            <span key={name} role="columnheader" data-column={name.split(' ')[0]?.toLowerCase()}>
              {name}
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup" className={styles.body} style={{ height: virtualizer.getTotalSize() }}>
        <div style={{ transform: `translateY(${first * height}px)` }} role="presentation">
          {visible.map((row, i) => {
            if (!row) return null;
            const index = first + i + 2;
            if (row.kind === 'gap') return <GapLine key={row.seq} row={row} index={index} />;
            return (
              <MessageLine
                key={row.seq}
                row={row}
                index={index}
                narrow={narrow}
                flash={flashing && row.arrived > 0}
                marked={row.seq === marked}
                selected={selection.seqs.has(row.seq)}
                open={row.id === open}
                onChoose={(seq, id, how) => {
                  setMarked(seq);
                  if (how === 'toggle') onSelect(toggled(selection, seq));
                  else if (how === 'extend') onSelect(extended(begun, rows, seq));
                  else {
                    onSelect(anchored(seq));
                    onOpen(id);
                  }
                }}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** Index from the top of the row with a seq, or of the next older one; -1 when there is none. */
function indexOf(rows: readonly Row[], seq: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.seq ?? 0) <= seq) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? -1 : rows.length - low;
}

/** Rows that arrived within a second before the newest did. */
function arrivals(rows: readonly Row[]): number {
  const newest = rows.at(-1);
  if (newest?.kind !== 'message') return 0;
  let count = 0;
  for (let i = rows.length - 1; i >= 0 && count < FLOOD; i--, count++) {
    const row = rows[i];
    if (row?.kind === 'message' && newest.arrived - row.arrived > 1000) break;
  }
  return count;
}
