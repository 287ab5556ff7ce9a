import type { FeedOptions, FeedState, Page, Search } from './feedState';
import { matches, type MessageFilter } from './filter';
import type { MessageRow, Row } from './rows';
import type { GapNotice, Message } from './types';

/** How far a search came that goes on below a cursor. It is no matter if nobody knows. */
export async function reachedBy(
  { timeOf, oldest, filter }: FeedOptions,
  cursor: number,
): Promise<Omit<Search, 'halted'>> {
  const nobodyKnows = { reached: undefined, part: undefined };
  try {
    const [reached, begin] = await Promise.all([timeOf(cursor), oldest()]);
    const until = Date.parse(filter.until ?? '');
    const end = Number.isNaN(until) ? Date.now() : until;
    if (reached === undefined || begin === undefined || begin >= end) return nobodyKnows;
    return { reached, part: Math.min(Math.max((end - reached) / (end - begin), 0), 1) };
  } catch {
    return nobodyKnows;
  }
}

/** Seq of the first message at or after a moment, else of the newest. */
export function firstSince(rows: readonly Row[], moment: number): number | undefined {
  const found = rows.find((r) => r.kind === 'message' && Date.parse(r.received) >= moment);
  return (found ?? rows.at(-1))?.seq;
}

/** Whether the moment is among the rows, or there is nothing between it and them. */
export function covers({ rows, moreNewer, atEnd, loading }: FeedState, moment: number): boolean {
  const oldest = rows.find((r) => r.kind === 'message');
  const newest = rows.findLast((r) => r.kind === 'message');
  if (!oldest || !newest) return !loading && atEnd && !moreNewer;
  const isAfter = atEnd || Date.parse(oldest.received) < moment;
  return isAfter && (!moreNewer || Date.parse(newest.received) >= moment);
}

/** Whether a frame is a notice of missed messages. */
export function isGap(frame: Message | GapNotice): frame is GapNotice {
  return 'type' in frame;
}

/** Whether a page of the newest messages contradicts a row that was known before. */
export function isAnother(page: Page, known: MessageRow, isNewest: boolean): boolean {
  const newest = page.messages[0];
  if (newest === undefined) return isNewest;
  if (isNewest && newest.seq < known.seq) return true;
  const same = page.messages.find((m) => m.seq === known.seq);
  return same !== undefined && same.id !== known.id;
}

/** How many of the frames that wait are wanted messages after `last`, not new versions of known ones. */
export function countNew(
  frames: readonly (Message | GapNotice)[],
  last: number,
  filter: MessageFilter,
): number {
  let count = 0;
  for (const frame of frames) {
    if (isGap(frame) || frame.seq <= last) continue;
    last = frame.seq;
    if (matches(filter, frame)) count++;
  }
  return count;
}
