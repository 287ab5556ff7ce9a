import type { Socket } from '../api/live';
import type { MessageFilter } from './filter';
import type { Row } from './rows';
import type { Message } from './types';

/** One answer of GET /api/messages. */
export interface Page {
  messages: Message[];
  /** Where the next page begins; undefined when there is none. */
  next: number | undefined;
  /** False when the time for one search was over before the page was full. */
  complete: boolean;
}

/** A search through the journal that takes more than one request. */
export interface Search {
  /** How far back it came, ms since 1970; undefined until that is known. */
  reached: number | undefined;
  /** How much of the journal is searched, 0 to 1; undefined while nobody can tell. */
  part: number | undefined;
  /** The reader has stopped it. */
  halted: boolean;
}

/** What is asked of the server besides the filter. */
export interface PageQuery {
  /** Only messages whose seq is below. */
  cursor?: number;
  limit: number;
  /** RFC 3339: received then or later, and earlier. They narrow what the filter says. */
  since?: string;
  until?: string;
}

export interface FeedOptions {
  filter: MessageFilter;
  /** Opens the WebSocket of one session, or of all. */
  connect: (session: string | undefined) => Socket;
  /** Asks for messages, newest first. */
  fetchPage: (query: PageQuery) => Promise<Page>;
  /** When the newest message below a cursor was received, whatever the filter; ms since 1970. */
  timeOf: (cursor: number) => Promise<number | undefined>;
  /** When the oldest message that is kept was received, ms since 1970. */
  oldest: () => Promise<number | undefined>;
  /** Calls back before the next frame is drawn. */
  schedule: (callback: () => void) => void;
  random?: () => number;
}

/** Where the live connection stands, as in LiveState; `history` has none. */
export type FeedPhase = 'connecting' | 'live' | 'waiting' | 'reconnecting' | 'history';

/** What the table shows. A new object whenever something changed. */
export interface FeedState {
  /** Rising by seq: the newest is last. */
  rows: readonly Row[];
  phase: FeedPhase;
  retryAt: number | undefined;
  paused: boolean;
  /** New messages that wait for the pause to end. */
  waiting: number;
  /** The first page is not there yet. */
  loading: boolean;
  loadingOlder: boolean;
  /** Set while the journal is searched for long, and when that was stopped. */
  search: Search | undefined;
  /** Nothing older is kept. */
  atEnd: boolean;
  /** A part of the past is shown: newer messages are fetched as they are scrolled to. */
  moreNewer: boolean;
  loadingNewer: boolean;
  /** Where the last jump led: to this row, if there is any. A new object for each jump. */
  jumped: { seq: number | undefined } | undefined;
  /** What was missed is being fetched. */
  catchingUp: boolean;
  error: unknown;
}
