import { useVirtualizer, type VirtualItem } from '@tanstack/react-virtual';
import { useEffect, type RefObject } from 'react';

interface VirtualRows {
  /** The rows to draw. */
  items: readonly VirtualItem[];
  /** The uppermost of them, 0 for the top one. */
  first: number;
  /** Height of all rows, px. */
  total: number;
  /** How far down those that are drawn belong, px. */
  offset: number;
  scrollToIndex: (index: number) => void;
}

/** Which of many rows of one height are in view, or nearly: only those need be in the document. */
export function useVirtualRows(
  scroller: RefObject<HTMLElement | null>,
  rows: {
    count: number;
    /** Of a row, px. */
    height: number;
    /** Rows beyond the edges of what is seen. */
    overscan: number;
  },
): VirtualRows {
  const { count, height, overscan } = rows;
  // eslint-disable-next-line react-hooks/incompatible-library -- nothing here is memoised by what it returns
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan,
  });
  useEffect(() => {
    virtualizer.measure();
  }, [virtualizer, height]);

  const items = virtualizer.getVirtualItems();
  const first = items[0]?.index ?? 0;
  return {
    items,
    first,
    total: virtualizer.getTotalSize(),
    offset: first * height,
    scrollToIndex: (index) => {
      virtualizer.scrollToIndex(index);
    },
  };
}
