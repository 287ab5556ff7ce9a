import type { Socket } from '../api/live';
import type { FeedOptions, FeedState, Page } from './feedState';
import { countNew, covers, firstSince, isAnother, isGap, reachedBy } from './feedPages';
import { matches } from './filter';
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

/** Rows that the table holds while it follows what comes, and while somebody reads. */
const KEEP = 50_000;
export const MOST = 2 * KEEP;

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

/** First and shortest span of time that is asked for when what follows a moment is fetched, ms. */
const FIRST_WIDTH = 60_000;
const SHORTEST_WIDTH = 1_000;

/** As many are fetched forwards at least, when there are so many. */
const FEW = 100;

/** Answers come within this time, or were missed, ms. */
const ANSWER_WITHIN = 60_000;

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
  /** Where a part of the past begins that is shown, ms since 1970. */
  #moment: number | undefined;
  /** Span of time that is asked for at once, forwards, ms. */
  #width = FIRST_WIDTH;
  /** Rises whenever all rows are forgotten. */
  #generation = 0;
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
      moreNewer: false,
      loadingNewer: false,
      jumped: undefined,
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

  /** Starts at the newest message, or at a moment (ms since 1970). */
  start(at?: number): void {
    if (this.#running) return;
    this.#running = true;
    if (at !== undefined) this.jump(at);
    else if (this.#isHistory()) this.#first();
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
      this.#catchUp();
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
    if (Date.now() < this.#patience || this.#state.rows.length >= MOST) return;
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
      const generation = this.#generation;
      const cursor = this.#cursor;
      const page = await this.#options.fetchPage({ ...this.#below(), limit: wanted });
      if (generation !== this.#generation) return;
      // What came live meanwhile may have pushed out the rows that the page adjoins, and
      // the page itself: then the cursor is where the rows end now.
      if (this.#cursor === cursor) this.#takePage(page);
      if (this.#cursor !== cursor) {
        this.#set({ loading: false, loadingOlder: false, search: undefined });
        return;
      }
      this.#cursor = page.next;
      const left = wanted - page.messages.length;
      if (page.complete || page.next === undefined || left <= 0) {
        const atEnd = page.next === undefined;
        this.#set({ loading: false, loadingOlder: false, search: undefined, atEnd });
        return;
      }
      const reached = await reachedBy(this.#options, page.next);
      if (generation !== this.#generation) return;
      const halted = this.#state.search?.halted ?? false;
      this.#set({ loading: false, loadingOlder: true, search: { ...reached, halted } });
      this.#older(left);
    });
  }

  #below(): { cursor?: number; until?: string } {
    if (this.#cursor !== undefined) return { cursor: this.#cursor };
    return this.#moment === undefined ? {} : { until: new Date(this.#moment).toISOString() };
  }

  // ── a moment of the past ──

  /**
   * Goes to the first message at or after a moment (ms since 1970). Where that
   * is not loaded, what is around it takes the place of what is: from there it
   * goes on both ways, and forwards until it is live again.
   */
  jump(moment: number): void {
    if (covers(this.#state, moment)) {
      this.#set({ jumped: { seq: firstSince(this.#state.rows, moment) } });
      return;
    }
    this.#anew({ phase: 'history', moreNewer: true });
    this.#moment = moment;
    this.#width = FIRST_WIDTH;
    this.#set({ loadingOlder: true, loadingNewer: true });
    this.#older(FIRST_PAGE);
    this.#chore(async () => {
      await this.#newer(moment);
      this.#set({ jumped: { seq: firstSince(this.#state.rows, moment) } });
    });
  }

  /** Leaves the past for the newest messages. */
  goLive(): void {
    this.#anew({ phase: this.#isHistory() ? 'history' : 'connecting', moreNewer: false });
    if (this.#isHistory()) this.#first();
    else this.#open('connecting');
  }

  /** Fetches what came after the newest row, where a part of the past is shown. */
  loadNewer(): void {
    const { moreNewer, loadingNewer } = this.#state;
    if (!moreNewer || loadingNewer || Date.now() < this.#patience) return;
    const from = Date.parse(this.#lastMessage()?.received ?? '');
    this.#set({ loadingNewer: true });
    this.#chore(() => this.#newer(Number.isNaN(from) ? (this.#moment ?? 0) : from));
  }

  /** Forgets all rows; what is still on its way is not taken up. */
  #anew(change: Pick<FeedState, 'phase' | 'moreNewer'>): void {
    this.#generation++;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#drop();
    this.#queue = [];
    this.#overflowed = false;
    this.#cursor = undefined;
    this.#moment = undefined;
    this.#lastSeq = 0;
    this.#set({
      ...change,
      rows: [],
      retryAt: undefined,
      paused: false,
      waiting: 0,
      loading: true,
      loadingOlder: false,
      loadingNewer: false,
      search: undefined,
      atEnd: false,
      catchingUp: false,
      jumped: undefined,
      error: undefined,
    });
  }

  /**
   * Fetches forwards from a moment until a few are found or the present is
   * reached. The server's lists begin at the newest, so that it is asked for a
   * span of time: a shorter one where that has too many, a longer one where it has none.
   */
  async #newer(moment: number): Promise<void> {
    const generation = this.#generation;
    const end = Math.min(Date.parse(this.#options.filter.until ?? '') || Infinity, Date.now());
    let found = 0;
    for (let from = moment; ;) {
      const until = from + this.#width;
      const span = { since: new Date(from).toISOString(), until: new Date(until).toISOString() };
      let page = await this.#options.fetchPage({ ...span, limit: PAGE });
      if (generation !== this.#generation) return;
      if (page.next !== undefined && this.#width > SHORTEST_WIDTH) {
        this.#width = Math.max(this.#width / 8, SHORTEST_WIDTH);
        continue;
      }
      let fresh = this.#takePage(page);
      while (page.next !== undefined) {
        page = await this.#options.fetchPage({ ...span, cursor: page.next, limit: PAGE });
        if (generation !== this.#generation) return;
        fresh += this.#takePage(page);
      }
      if (until >= end) {
        this.#set({ loadingNewer: false, moreNewer: false });
        // From here on it comes by itself; what came meanwhile is fetched when it does.
        if (!this.#isHistory()) this.#open('connecting');
        return;
      }
      found += fresh;
      if (fresh < FEW) this.#width *= 8;
      if (found >= FEW) {
        this.#set({ loadingNewer: false });
        return;
      }
      from = until;
    }
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
      else this.#catchUp();
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
      if (!this.#overflowed) {
        const waiting = countNew(this.#queue, this.#lastSeq, this.#options.filter);
        this.#set({ waiting });
      }
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

  #take(rows: readonly Row[], gone?: ReadonlySet<number>): void {
    const merged = mergeRows(this.#state.rows, { rows, ...(gone && { gone }) });
    const kept = trimRows(merged, this.#following ? KEEP : MOST);
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
    const generation = this.#generation;
    this.#chores = this.#chores.then(async () => {
      if (!this.#running || generation !== this.#generation) return;
      try {
        await work();
        if (this.#state.error !== undefined) this.#set({ error: undefined });
      } catch (error) {
        if (generation !== this.#generation) return;
        this.#patience = Date.now() + AFTER_FAULT;
        this.#set({
          error,
          loading: false,
          loadingOlder: false,
          loadingNewer: false,
          search: undefined,
          catchingUp: false,
        });
      }
    });
  }

  /** The first page; what a search leaves for later requests is fetched after it. */
  #first(): void {
    if (this.#state.loadingOlder) return;
    this.#moment = undefined;
    this.#set({ loadingOlder: true });
    this.#cursor = undefined;
    this.#older(FIRST_PAGE);
  }

  /**
   * Fetches everything since the last row, and new versions of requests that waited for
   * an answer. Which row that is counts now: until it is its turn, newer ones come live.
   */
  #catchUp(): void {
    const last = this.#lastMessage();
    const waiting = oldestUnanswered(this.#state.rows, ANSWER_WITHIN);
    this.#chore(async () => {
      // Without any, the first page may have come meanwhile.
      const newest = last ?? this.#lastMessage((row) => row.arrived === 0);
      if (newest === undefined) {
        if (!this.#state.loadingOlder) this.#first();
        else this.#takePage(await this.#options.fetchPage({ limit: FIRST_PAGE }));
        return;
      }
      const floor = Math.min(waiting ?? newest.seq, newest.seq);
      this.#set({ catchingUp: true });
      await this.#fetchDown(undefined, floor, newest);
      this.#set({ catchingUp: false });
    });
  }

  /**
   * Pages from below `cursor` (or from the newest) down to `floor`. `known` is a row
   * that must turn up again if the server is still the one that it came from.
   */
  async #fetchDown(cursor: number | undefined, floor: number, known?: MessageRow): Promise<number> {
    let fresh = 0;
    let below = cursor;
    const generation = this.#generation;
    for (let fetched = 0; fetched < MOST; fetched += PAGE) {
      const page = await this.#options.fetchPage({
        ...(below !== undefined && { cursor: below }),
        limit: PAGE,
      });
      if (!this.#running || generation !== this.#generation) return fresh;
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
      // A search that finds little goes on below the floor, too: its cursor says so.
      if (page.next === undefined || Math.min(lowest ?? Infinity, page.next) <= floor) return fresh;
      below = page.next;
    }
    return fresh;
  }

  #lastMessage(is: (row: MessageRow) => boolean = () => true): MessageRow | undefined {
    return this.#state.rows.findLast((r): r is MessageRow => r.kind === 'message' && is(r));
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
