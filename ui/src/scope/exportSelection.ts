import type { Page } from './feedState';
import type { Message } from './types';

/** Messages of one request. */
const PAGE = 1000;

/** Fetches messages below `cursor`, newest first. */
type FetchPage = (query: { cursor: number; limit: number }) => Promise<Page>;

/**
 * The selected messages in full, oldest first. They are fetched in pages from
 * the newest selected one down; `onPart` hears how far that is, 0 to 1. What is
 * not kept any more is missing.
 */
export async function fetchSelected(
  seqs: ReadonlySet<number>,
  fetchPage: FetchPage,
  onPart: (part: number) => void,
): Promise<Message[]> {
  const order = [...seqs].sort((a, b) => b - a);
  const newest = order[0] ?? 0;
  const oldest = order.at(-1) ?? 0;
  const found: Message[] = [];
  for (let cursor: number | undefined = newest + 1; cursor !== undefined && cursor > oldest;) {
    const page: Page = await fetchPage({ cursor, limit: PAGE });
    found.push(...page.messages.filter((m) => seqs.has(m.seq)));
    if (found.length === seqs.size) break;
    cursor = page.next;
    onPart(cursor === undefined ? 1 : (newest - cursor + 1) / (newest - oldest + 1));
  }
  return found.reverse();
}

/**
 * A file of single messages, one a line. It says of itself what it is not: the
 * export of a session, whose lines prove each other by a chain of hashes.
 */
export function selectionFile(messages: readonly Message[], wanted: number, now: Date): string {
  const header = {
    type: 'header',
    format: 'poolscope-selection',
    version: 1,
    created: now.toISOString(),
    messages: messages.length,
    missing: wanted - messages.length,
    hash_chain: false,
    note: 'Messages that somebody selected, written by the web page. Without a chain of hashes nothing proves that they are complete or unchanged; the export of a whole session has one. "raw" is exact; "decoded" has numbers as a browser reads them.',
  };
  return [header, ...messages].map((line) => `${JSON.stringify(line)}\n`).join('');
}
