import type { Socket } from '../api/live';
import { matches, type MessageFilter } from './filter';
import {
  findRow,
  mergeRows,
  oldestUnanswered,
  toRow,
  trimRows,
  type GapRow,
  type MessageRow,
  type Row,
} from './rows';
import type { GapNotice, Message } from './types';

/** Rows that the table holds while it follows what comes; twice that while somebody reads. */
export const KEEP = 50_000;

/** Messages of one request: the first, and those that fetch what was missed. */
const FIRST_PAGE = 200;
const PAGE = 1000;

/** Messages that wait while the table is paused, before they are fetched later instead. */
const HELD = 20_000;

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

/** Without a message for this long it is asked whether there was really none, ms. */
const SILENCE = 15_000;

/** How long nothing older is asked for after a fault, ms. */
const AFTER_FAULT = 3_000;

/** Answers come within this time, or were missed, ms. */
const ANSWER_WITHIN = 60_000;

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

export interface FeedOptions {
  filter: MessageFilter;
  /** Opens the WebSocket of one session, or of all. */
  connect: (session: string | undefined) => Socket;
  /** Asks for messages below `cursor`, newest first. */
  fetchPage: (query: { cursor?: number; limit: number }) => Promise<Page>;
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
  /** What was missed is being fetched. */
  catchingUp: boolean;
  error: unknown;
}

/**
 * The messages that a filter wants: history by REST, newest first, and what
 * comes by WebSocket. Frames are taken up once per drawn frame. After a cut and
 * after a gap notice everything that may have been missed is fetched again;
 * rows are known by their seq, so nothing is there twice.
 */
export class MessageFeed {
  readonly #options: FeedOptions;
  readonly #listeners = new Set<() => void>();
  #state: FeedState;

  #socket: Socket | undefined;
  #attempts = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #running = false;

  #queue: (Message | GapNotice)[] = [];
  #scheduled = false;
  #overflowed = false;
  #following = true;
  #lastSeq = 0;
  #cursor: number | undefined;
  #chores: Promise<void> = Promise.resolve();
  /** Until when nothing older is asked for, after a fault. */
  #patience = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#state = {
      rows: [],
      phase: this.#isHistory() ? 'history' : 'connecting',
      retryAt: undefined,
      paused: false,
      waiting: 0,
      loading: true,
      loadingOlder: false,
      search: undefined,
      atEnd: false,
      catchingUp: false,
      error: undefined,
    };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  readonly state = (): FeedState => this.#state;

  start(): void {
    if (this.#running) return;
    this.#running = true;
    if (this.#isHistory()) this.#first();
    else this.#open('connecting');
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#retry);
    this.#drop();
  }

  /** Stops taking up what comes; it waits. */
  pause(): void {
    this.#set({ paused: true });
  }

  resume(): void {
    this.#set({ paused: false, waiting: 0 });
    if (this.#overflowed) {
      this.#overflowed = false;
      this.#chore(() => this.#catchUp());
    }
    this.#schedule();
  }

  /** While nobody reads further down, the oldest rows make room. */
  setFollowing(following: boolean): void {
    this.#following = following;
  }

  retryNow(): void {
    if (!this.#running || this.#retry === undefined) return;
    clearTimeout(this.#retry);
    this.#open('reconnecting');
  }

  /** Fetches the page before the oldest row. */
  loadOlder(): void {
    const { loadingOlder, atEnd, search } = this.#state;
    if (loadingOlder || atEnd || search?.halted === true || this.#cursor === undefined) return;
    if (Date.now() < this.#patience) return;
    this.#set({ loadingOlder: true });
    this.#older(PAGE);
  }

  /** Stops a search that takes long; what was found stays. */
  haltSearch(): void {
    const { search } = this.#state;
    if (search) this.#set({ search: { ...search, halted: true } });
  }

  /** Goes on with a search that was stopped. */
  resumeSearch(): void {
    if (this.#state.search?.halted !== true) return;
    this.#set({ search: undefined });
    this.loadOlder();
  }

  /**
   * Fetches below the cursor until `wanted` messages are found or none are left.
   * Each request is a chore of its own: what comes live does not wait for a search.
   */
  #older(wanted: number): void {
    this.#chore(async () => {
      if (this.#state.search?.halted === true) {
        this.#set({ loadingOlder: false });
        return;
      }
      const page = await this.#options.fetchPage({ ...this.#below(), limit: wanted });
      this.#takePage(page);
      this.#cursor = page.next;
      const left = wanted - page.messages.length;
      if (page.complete || page.next === undefined || left <= 0) {
        const atEnd = page.next === undefined;
        this.#set({ loading: false, loadingOlder: false, search: undefined, atEnd });
        return;
      }
      const reached = await this.#reached(page.next);
      const halted = this.#state.search?.halted ?? false;
      this.#set({ loading: false, loadingOlder: true, search: { ...reached, halted } });
      this.#older(left);
    });
  }

  /** How far a search came that goes on below a cursor. It is no matter if nobody knows. */
  async #reached(cursor: number): Promise<Omit<Search, 'halted'>> {
    const nobodyKnows = { reached: undefined, part: undefined };
    try {
      const { timeOf, oldest } = this.#options;
      const [reached, begin] = await Promise.all([timeOf(cursor), oldest()]);
      const until = Date.parse(this.#options.filter.until ?? '');
      const end = Number.isNaN(until) ? Date.now() : until;
      if (reached === undefined || begin === undefined || begin >= end) return nobodyKnows;
      return { reached, part: Math.min(Math.max((end - reached) / (end - begin), 0), 1) };
    } catch {
      return nobodyKnows;
    }
  }

  #below(): { cursor?: number } {
    return this.#cursor === undefined ? {} : { cursor: this.#cursor };
  }

  #isHistory(): boolean {
    return (this.#options.filter.until ?? '') !== '';
  }

  // ── the connection ──

  #open(phase: 'connecting' | 'reconnecting'): void {
    this.#retry = undefined;
    this.#set({ phase, retryAt: undefined });
    const socket = this.#options.connect(this.#options.filter.session);
    this.#socket = socket;
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      this.#attempts = 0;
      this.#set({ phase: 'live' });
      this.#watch();
      // What came before the socket was open is fetched; what comes meanwhile waits in line.
      if (this.#state.loading && !this.#state.loadingOlder) this.#first();
      else if (this.#state.paused) this.#overflowed = true;
      else this.#chore(() => this.#catchUp());
    };
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#receive(event.data);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#lost();
    };
  }

  #lost(): void {
    this.#drop();
    if (!this.#running) return;
    // History is there to be read even when there is no live connection.
    if (this.#state.loading) this.#first();
    const longest = Math.min(FIRST_PAUSE * 2 ** this.#attempts, LONGEST_PAUSE);
    const pause = longest * (0.5 + 0.5 * (this.#options.random ?? Math.random)());
    this.#attempts++;
    this.#retry = setTimeout(() => {
      this.#open('reconnecting');
    }, pause);
    this.#set({ phase: 'waiting', retryAt: Date.now() + pause });
  }

  #drop(): void {
    clearTimeout(this.#watchdog);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  /**
   * A quiet session and a dead connection look alike: after a while of silence
   * the newest message is asked for, and a new connection made when it is not known.
   */
  #watch(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      const socket = this.#socket;
      this.#options.fetchPage({ limit: 1 }).then(
        ({ messages }) => {
          if (socket === undefined || socket !== this.#socket) return;
          const newest = messages[0]?.seq ?? 0;
          if (newest > this.#lastSeq && this.#queue.length === 0) this.#lost();
          else this.#watch();
        },
        () => {
          if (socket !== undefined && socket === this.#socket) this.#lost();
        },
      );
    }, SILENCE);
  }

  #receive(data: unknown): void {
    this.#watch();
    if (typeof data !== 'string') return;
    let frame: Message | GapNotice;
    try {
      frame = JSON.parse(data) as Message | GapNotice;
    } catch {
      return;
    }
    if (this.#overflowed) {
      if (!isGap(frame)) this.#set({ waiting: this.#state.waiting + 1 });
      return;
    }
    this.#queue.push(frame);
    if (this.#state.paused && this.#queue.length > HELD) {
      this.#queue = [];
      this.#overflowed = true;
    }
    this.#schedule();
  }

  // ── taking up ──

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#options.schedule(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (!this.#running) return;
    if (this.#state.paused) {
      if (!this.#overflowed) this.#set({ waiting: this.#countNew() });
      return;
    }
    if (this.#queue.length === 0) return;
    const frames = this.#queue;
    this.#queue = [];
    const rows: Row[] = [];
    const gone = new Set<number>();
    const arrived = performance.now();
    for (const frame of frames) {
      if (isGap(frame)) {
        rows.push(this.#missed(frame));
        continue;
      }
      this.#lastSeq = Math.max(this.#lastSeq, frame.seq);
      if (matches(this.#options.filter, frame)) {
        gone.delete(frame.seq);
        rows.push(toRow(frame, arrived));
      } else gone.add(frame.seq);
    }
    this.#take(rows, gone);
  }

  /** Messages that wait, without the new versions of known ones. */
  #countNew(): number {
    let count = 0;
    let last = this.#lastSeq;
    for (const frame of this.#queue) {
      if (isGap(frame) || frame.seq <= last) continue;
      last = frame.seq;
      if (matches(this.#options.filter, frame)) count++;
    }
    return count;
  }

  #take(rows: readonly Row[], gone?: ReadonlySet<number>): void {
    const merged = mergeRows(this.#state.rows, { rows, ...(gone && { gone }) });
    const kept = trimRows(merged, this.#following ? KEEP : 2 * KEEP);
    if (kept === this.#state.rows) return;
    if (kept === merged) this.#set({ rows: kept });
    else {
      // What made room can be fetched again.
      this.#cursor = Math.ceil(kept[0]?.seq ?? 0);
      this.#set({ rows: kept, atEnd: false });
    }
  }

  /** Returns how many rows were new. */
  #takePage(page: Page): number {
    const rows = page.messages.map((m) => toRow(m, 0));
    const fresh = rows.filter((r) => findRow(this.#state.rows, r.seq) === undefined).length;
    for (const row of rows) this.#lastSeq = Math.max(this.#lastSeq, row.seq);
    this.#take(rows);
    return fresh;
  }

  // ── fetching ──

  /** Chores run one after the other, so that no two of them page through the same rows. */
  #chore(work: () => Promise<void>): void {
    this.#chores = this.#chores.then(async () => {
      if (!this.#running) return;
      try {
        await work();
        if (this.#state.error !== undefined) this.#set({ error: undefined });
      } catch (error) {
        this.#patience = Date.now() + AFTER_FAULT;
        this.#set({
          error,
          loading: false,
          loadingOlder: false,
          search: undefined,
          catchingUp: false,
        });
      }
    });
  }

  /** The first page; what a search leaves for later requests is fetched after it. */
  #first(): void {
    if (this.#state.loadingOlder) return;
    this.#set({ loadingOlder: true });
    this.#cursor = undefined;
    this.#older(FIRST_PAGE);
  }

  /** Fetches everything since the last row, and new versions of requests that waited for an answer. */
  async #catchUp(): Promise<void> {
    const newest = this.#lastMessage();
    if (newest === undefined) {
      if (!this.#state.loadingOlder) this.#first();
      else this.#takePage(await this.#options.fetchPage({ limit: FIRST_PAGE }));
      return;
    }
    const waiting = oldestUnanswered(this.#state.rows, ANSWER_WITHIN);
    const floor = Math.min(waiting ?? newest.seq, newest.seq);
    this.#set({ catchingUp: true });
    await this.#fetchDown(undefined, floor, newest);
    this.#set({ catchingUp: false });
  }

  /**
   * Pages from below `cursor` (or from the newest) down to `floor`. `known` is a row
   * that must turn up again if the server is still the one that it came from.
   */
  async #fetchDown(cursor: number | undefined, floor: number, known?: MessageRow): Promise<number> {
    let fresh = 0;
    let below = cursor;
    for (let fetched = 0; fetched < 2 * KEEP; fetched += PAGE) {
      const page = await this.#options.fetchPage({
        ...(below !== undefined && { cursor: below }),
        limit: PAGE,
      });
      if (!this.#running) return fresh;
      if (known && isAnother(page, known, below === undefined)) {
        // The numbers began anew: the server was started again without a journal.
        this.#lastSeq = 0;
        this.#set({ rows: [] });
        this.#takePage(page);
        this.#cursor = page.next;
        this.#set({ atEnd: page.next === undefined });
        return 0;
      }
      fresh += this.#takePage({ ...page, messages: page.messages.filter((m) => m.seq >= floor) });
      const lowest = page.messages.at(-1)?.seq;
      if (page.next === undefined || (lowest !== undefined && lowest <= floor)) return fresh;
      below = page.next;
    }
    return fresh;
  }

  #lastMessage(): MessageRow | undefined {
    const { rows } = this.#state;
    for (let i = rows.length - 1; i >= 0; i--) {
      const row = rows[i];
      if (row?.kind === 'message') return row;
    }
    return undefined;
  }

  /** The row that stands for missed messages; fetching them again begins. */
  #missed(notice: GapNotice): GapRow {
    const waiting = oldestUnanswered(this.#state.rows, ANSWER_WITHIN) ?? this.#lastSeq;
    const from = notice.first_seq ?? Math.min(waiting, this.#lastSeq);
    const row: GapRow = {
      kind: 'gap',
      seq: (notice.first_seq ?? this.#lastSeq + 1) - 0.5,
      dropped: notice.dropped,
      state: 'fetching',
      brought: 0,
    };
    this.#chore(async () => {
      const to = notice.last_seq === null ? undefined : notice.last_seq + 1;
      try {
        const brought = await this.#fetchDown(to, from);
        this.#take([{ ...row, state: 'fetched', brought }]);
      } catch (error) {
        this.#take([{ ...row, state: 'lost' }]);
        throw error;
      }
    });
    return row;
  }

  #set(change: Partial<FeedState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

function isGap(frame: Message | GapNotice): frame is GapNotice {
  return 'type' in frame;
}

/** Whether a page of the newest messages contradicts a row that was known before. */
function isAnother(page: Page, known: MessageRow, isNewest: boolean): boolean {
  const newest = page.messages[0];
  if (newest === undefined) return isNewest;
  if (isNewest && newest.seq < known.seq) return true;
  const same = page.messages.find((m) => m.seq === known.seq);
  return same !== undefined && same.id !== known.id;
}
