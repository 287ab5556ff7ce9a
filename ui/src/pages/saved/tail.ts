import type { WireLines } from '../../api/saved';
import type { Message } from '../../scope/types';

/** Lines that are fetched first, of a session that has more. */
export const FIRST = 200;

/** Lines that are kept. */
export const MOST = 500;

/** The end of a session. */
export interface Tail {
  /** In the order in which they were captured. */
  lines: Message[];
  next: number;
  live: boolean;
}

/** The end with more lines, and without the oldest beyond what is kept. */
export function appendLines(tail: Tail, more: WireLines): Tail {
  const known = new Set(tail.lines.map((m) => m.id));
  const lines = [...tail.lines, ...more.lines.filter((m) => !known.has(m.id))];
  return {
    lines: lines.slice(-MOST),
    // Never back: that would fetch the same lines for ever.
    next: Math.max(tail.next, more.next),
    live: more.live,
  };
}
