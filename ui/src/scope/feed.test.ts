import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Socket } from '../api/live';
import { MessageFeed } from './feed';
import type { Page, PageQuery } from './feedState';
import { message, unanswered } from './fixture';
import type { Message } from './types';

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  closed = false;

  close(): void {
    this.closed = true;
  }

  say(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

/** A server with a list of messages, which a test makes longer. */
function setup(first: Message[] = []) {
  const server = {
    messages: [...first],
    down: false,
    /** Messages that one search looks at before its time is over. */
    looksAt: Infinity,
    /** When the next answer comes. */
    ready: Promise.resolve(),
    wants: (m: Message) => m.seq > 0,
  };
  const sockets: FakeSocket[] = [];
  const asked: PageQuery[] = [];
  const frames: (() => void)[] = [];
  const feed = new MessageFeed({
    filter: {},
    connect: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    timeOf: (cursor) => {
      const below = server.messages.filter((m) => m.seq < cursor);
      return Promise.resolve(
        below.length === 0 ? undefined : Date.parse(below.at(-1)?.ts_recv ?? ''),
      );
    },
    oldest: () => Promise.resolve(Date.parse(server.messages[0]?.ts_recv ?? '')),
    fetchPage: async (query): Promise<Page> => {
      asked.push(query);
      if (server.down) throw new TypeError('nobody there');
      const below = server.messages
        .filter((m) => query.cursor === undefined || m.seq < query.cursor)
        .filter(
          (m) => query.since === undefined || Date.parse(m.ts_recv) >= Date.parse(query.since),
        )
        .filter((m) => query.until === undefined || Date.parse(m.ts_recv) < Date.parse(query.until))
        .sort((a, b) => b.seq - a.seq);
      const looked = below.slice(0, server.looksAt);
      const found = looked.filter(server.wants);
      const page = found.slice(0, query.limit);
      const full = found.length > query.limit;
      const more = full || looked.length < below.length;
      await server.ready;
      return {
        messages: page,
        next: more ? (full ? page : looked).at(-1)?.seq : undefined,
        complete: full || !more,
      };
    },
    schedule: (callback) => frames.push(callback),
    random: () => 1,
  });
  const settle = async () => {
    // Promises first, then what they drew, until nothing is left.
    for (let i = 0; i < 10; i++) {
      await vi.advanceTimersByTimeAsync(0);
      for (const frame of frames.splice(0)) frame();
    }
  };
  /** Keeps answers back until what it returns is called. */
  const hold = () => {
    let go: () => void = () => undefined;
    server.ready = new Promise((resolve) => {
      go = resolve;
    });
    return go;
  };
  const socket = () => sockets.at(-1) ?? new FakeSocket();
  const shown = () => feed.state().rows.map((r) => r.seq);
  return { feed, server, sockets, asked, settle, hold, socket, shown };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

async function started(first: Message[]) {
  const t = setup(first);
  t.feed.start();
  t.socket().onopen?.();
  await t.settle();
  return t;
}

it('puts history and what comes live together', async () => {
  const t = setup([message(1), message(2)]);
  t.feed.start();
  t.socket().onopen?.();
  t.socket().say(message(3)); // before the page is there
  t.socket().say(message(2)); // in both
  await t.settle();
  expect(t.shown()).toEqual([1, 2, 3]);
  expect(t.feed.state()).toMatchObject({ phase: 'live', loading: false, atEnd: true });
});

it('draws once for all that came between two frames', async () => {
  const t = await started([message(1)]);
  const drawn = vi.fn();
  t.feed.subscribe(drawn);
  for (let seq = 2; seq < 500; seq++) t.socket().say(message(seq));
  expect(drawn).not.toHaveBeenCalled();
  await t.settle();
  expect(drawn).toHaveBeenCalledTimes(1);
  expect(t.shown()).toHaveLength(499);
});

it('fetches what was missed while it was cut off, answers included', async () => {
  const t = await started([message(1), unanswered(2)]);
  t.socket().onclose?.();
  expect(t.feed.state()).toMatchObject({ phase: 'waiting' });
  t.server.messages = [message(1), message(2), ...range(3, 2500).map((seq) => message(seq))];
  await vi.advanceTimersByTimeAsync(500);
  expect(t.feed.state().phase).toBe('reconnecting');
  t.socket().onopen?.();
  t.socket().say(message(2501));
  await t.settle();
  expect(t.shown()).toEqual(range(1, 2501));
  expect(t.feed.state().rows[1]).toMatchObject({ answered: true });
});

it('fetches what was missed also when newer messages come before its turn', async () => {
  const t = await started(range(1, 1500).map((seq) => message(seq)));
  t.socket().onclose?.();
  t.server.messages = range(1, 4000).map((seq) => message(seq));
  await vi.advanceTimersByTimeAsync(500);
  // The reader waits for older ones, and the server takes its time.
  const go = t.hold();
  t.feed.loadOlder();
  t.socket().onopen?.();
  t.server.messages.push(message(4001));
  t.socket().say(message(4001));
  await t.settle();
  expect(t.shown().at(-1)).toBe(4001);
  go();
  await t.settle();
  expect(t.shown()).toEqual(range(301, 4001));
});

it('fetches what a long pause left out also when newer messages come before its turn', async () => {
  const t = await started(range(1, 1500).map((seq) => message(seq)));
  t.feed.pause();
  for (let seq = 1501; seq <= 22_000; seq++) {
    t.server.messages.push(message(seq));
    t.socket().say(message(seq));
  }
  await t.settle();
  const go = t.hold();
  t.feed.loadOlder();
  t.feed.resume();
  t.server.messages.push(message(22_001));
  t.socket().say(message(22_001));
  await t.settle();
  expect(t.shown().at(-1)).toBe(22_001);
  go();
  for (let i = 0; i < 5; i++) await t.settle();
  expect(t.shown()).toEqual(range(301, 22_001));
});

it('begins again where the rows end, when some made room while older ones were fetched', async () => {
  const t = await started(range(1, 1500).map((seq) => message(seq)));
  const go = t.hold();
  t.feed.loadOlder();
  for (let seq = 1501; seq <= 51_800; seq++) {
    if (seq < 2000) t.server.messages.push(message(seq));
    t.socket().say(message(seq));
  }
  await t.settle();
  expect(t.shown()).toEqual(range(1801, 51_800));
  t.feed.setFollowing(false);
  go();
  await t.settle();
  expect(t.shown()).toEqual(range(1801, 51_800));
  expect(t.feed.state()).toMatchObject({ loadingOlder: false, atEnd: false });
  t.feed.loadOlder();
  await t.settle();
  expect(t.shown()).toEqual(range(801, 51_800));
});

it('holds as many as it can, and does not take that for all there are', async () => {
  const t = await started(range(1, 1500).map((seq) => message(seq)));
  t.feed.setFollowing(false);
  for (let seq = 1501; seq <= 101_100; seq++) t.socket().say(message(seq));
  await t.settle();
  t.feed.loadOlder();
  await t.settle();
  expect(t.shown()).toEqual(range(1101, 101_100));
  expect(t.feed.state()).toMatchObject({ loadingOlder: false, atEnd: false });
  const asked = t.asked.length;
  t.feed.loadOlder();
  await t.settle();
  expect(t.asked).toHaveLength(asked);
});

it('searches for what was missed no further than where it began to be', async () => {
  const t = await started(range(1, 5000).map((seq) => message(seq)));
  t.server.looksAt = 100;
  t.server.wants = (m) => m.seq === 7;
  const asked = t.asked.length;
  t.socket().say({ type: 'gap', dropped: 4, first_seq: 4996, last_seq: 4999 });
  for (let i = 0; i < 20; i++) await t.settle();
  const gap = t.feed.state().rows.find((r) => r.kind === 'gap');
  expect(gap).toMatchObject({ state: 'fetched', brought: 0 });
  expect(t.asked.length).toBe(asked + 1);
});

it('waits longer each time, and tries at once when asked to', async () => {
  const t = await started([message(1)]);
  const pauses: number[] = [];
  for (let i = 0; i < 3; i++) {
    t.socket().onclose?.();
    pauses.push((t.feed.state().retryAt ?? 0) - Date.now());
    t.feed.retryNow();
  }
  expect(pauses).toEqual([500, 1000, 2000]);
  expect(t.sockets).toHaveLength(4);
});

it('shows a gap as a row and fetches it', async () => {
  const t = await started([message(1)]);
  t.server.messages = range(1, 6).map((seq) => message(seq));
  t.socket().say({ type: 'gap', dropped: 4, first_seq: 2, last_seq: 5 });
  t.socket().say(message(6));
  await t.settle();
  expect(t.shown()).toEqual([1, 1.5, 2, 3, 4, 5, 6]);
  expect(t.feed.state().rows[1]).toMatchObject({ kind: 'gap', state: 'fetched', brought: 4 });
});

it('says so when a gap cannot be fetched', async () => {
  const t = await started([message(1)]);
  t.server.down = true;
  t.socket().say({ type: 'gap', dropped: 4, first_seq: null, last_seq: null });
  await t.settle();
  expect(t.feed.state().rows.at(-1)).toMatchObject({ kind: 'gap', state: 'lost' });
  expect(t.feed.state().error).toBeInstanceOf(TypeError);
});

it('holds back while paused, and counts', async () => {
  const t = await started([unanswered(1)]);
  t.feed.pause();
  t.socket().say(message(2));
  t.socket().say(message(1)); // a new version of a row is no new message
  await t.settle();
  expect(t.shown()).toEqual([1]);
  expect(t.feed.state().waiting).toBe(1);
  t.feed.resume();
  await t.settle();
  expect(t.shown()).toEqual([1, 2]);
});

it('fetches instead of holding when a pause is long', async () => {
  const t = await started([message(1)]);
  t.feed.pause();
  for (let seq = 2; seq <= 20_100; seq++) {
    t.server.messages.push(message(seq));
    t.socket().say(message(seq));
  }
  await t.settle();
  expect(t.shown()).toEqual([1]);
  t.feed.resume();
  await t.settle();
  for (let i = 0; i < 5; i++) await t.settle();
  expect(t.shown()).toHaveLength(20_100);
});

it('loads older messages by cursor', async () => {
  const t = await started(range(1, 1500).map((seq) => message(seq)));
  expect(t.shown()).toEqual(range(1301, 1500));
  t.feed.loadOlder();
  await t.settle();
  expect(t.shown()).toEqual(range(301, 1500));
  expect(t.feed.state().atEnd).toBe(false);
  t.feed.loadOlder();
  await t.settle();
  expect(t.feed.state()).toMatchObject({ atEnd: true, loadingOlder: false });
  expect(t.shown()).toEqual(range(1, 1500));
});

it('goes on with a search that takes more than one request, and tells how far it is', async () => {
  const t = setup(range(1, 1000).map((seq) => message(seq, { worker: `w${seq % 500}` })));
  t.server.looksAt = 100;
  t.server.wants = (m) => m.worker === 'w7';
  const told = new Set<number>();
  t.feed.subscribe(() => {
    const { search, rows } = t.feed.state();
    if (search?.part !== undefined) told.add(search.part);
    // Nothing was found in the first requests: that is not the end.
    if (rows.length === 0) expect(t.feed.state().atEnd).toBe(false);
  });
  vi.setSystemTime(Date.parse(message(1000).ts_recv));
  t.feed.start();
  t.socket().onopen?.();
  await t.settle();
  expect(t.shown()).toEqual([7, 507]);
  expect(t.feed.state()).toMatchObject({ atEnd: true, loadingOlder: false, search: undefined });
  const parts = [...told];
  expect(parts.length).toBeGreaterThan(5);
  expect(parts).toEqual(parts.toSorted((a, b) => a - b));
  for (const part of parts) expect(part).toBeGreaterThan(0);
  for (const part of parts) expect(part).toBeLessThanOrEqual(1);
});

it('lets a search be stopped and gone on with', async () => {
  const t = setup(range(1, 1000).map((seq) => message(seq)));
  t.server.looksAt = 50;
  t.server.wants = (m) => m.seq === 3;
  t.feed.start();
  t.socket().onopen?.();
  const stop = t.feed.subscribe(() => {
    if (t.feed.state().search?.halted === false) t.feed.haltSearch();
  });
  await t.settle();
  stop();
  expect(t.feed.state()).toMatchObject({ loadingOlder: false, search: { halted: true } });
  const asked = t.asked.length;
  t.feed.loadOlder();
  await t.settle();
  expect(t.asked).toHaveLength(asked);
  t.feed.resumeSearch();
  await t.settle();
  await t.settle();
  expect(t.shown()).toEqual([3]);
});

it('does not hammer a server that fails while somebody waits for older messages', async () => {
  const t = await started(range(1, 1500).map((seq) => message(seq)));
  t.server.down = true;
  // As the table asks: again after every change.
  t.feed.subscribe(() => {
    t.feed.loadOlder();
  });
  t.feed.loadOlder();
  const asked = t.asked.length;
  await t.settle();
  expect(t.asked.length).toBeLessThan(asked + 3);
  t.server.down = false;
  await vi.advanceTimersByTimeAsync(3_000);
  t.feed.loadOlder();
  await t.settle();
  expect(t.shown()).toEqual(range(1, 1500));
});

it('jumps within what is loaded without fetching', async () => {
  const t = await started(range(1, 50).map((seq) => message(seq, at(seq))));
  const asked = t.asked.length;
  t.feed.jump(Date.UTC(2026, 0, 1, 0, 20, 30));
  expect(t.feed.state()).toMatchObject({ jumped: { seq: 21 }, phase: 'live', moreNewer: false });
  expect(t.asked).toHaveLength(asked);
});

it('jumps far back, goes on forwards, and is live again at the end', async () => {
  // One message a minute, and a crowd of 3000 within a second in their midst.
  const before = range(1, 2000).map((seq) => message(seq, at(seq)));
  const crowd = range(2001, 5000).map((seq) => message(seq, at(2000.5)));
  const after = range(5001, 7000).map((seq) => message(seq, at(seq - 3000)));
  vi.setSystemTime(Date.UTC(2026, 0, 4));
  const t = await started([...before, ...crowd, ...after]);
  const old = t.socket();
  t.feed.setFollowing(false);
  t.feed.jump(Date.UTC(2026, 0, 1, 0, 999, 30));
  expect(old.closed).toBe(true);
  await t.settle();
  expect(t.feed.state()).toMatchObject({
    phase: 'history',
    moreNewer: true,
    jumped: { seq: 1000 },
  });
  expect(t.shown()[0]).toBeLessThan(1000);
  for (let i = 0; i < 100 && t.feed.state().moreNewer; i++) {
    t.feed.loadNewer();
    await t.settle();
  }
  expect(t.feed.state()).toMatchObject({ phase: 'connecting', moreNewer: false });
  t.server.messages.push(message(7001, at(4001)));
  t.socket().onopen?.();
  await t.settle();
  const shown = t.shown();
  expect(shown).toEqual(range(shown[0] ?? 0, 7001));
  expect(t.feed.state().phase).toBe('live');
  // Backwards it goes on as ever.
  t.feed.loadOlder();
  await t.settle();
  expect(t.shown()).toEqual(range(1, 7001));
});

it('finds the newest where nothing came after the moment, and leaves the past when asked', async () => {
  vi.setSystemTime(Date.UTC(2026, 0, 4));
  const t = setup(range(1, 500).map((seq) => message(seq, at(seq))));
  t.feed.start(Date.UTC(2026, 0, 3));
  await t.settle();
  expect(t.feed.state()).toMatchObject({ moreNewer: false, jumped: { seq: 500 } });
  t.feed.jump(Date.UTC(2026, 0, 1, 1));
  await t.settle();
  t.feed.goLive();
  t.socket().onopen?.();
  await t.settle();
  expect(t.shown()).toEqual(range(301, 500));
  expect(t.feed.state()).toMatchObject({ phase: 'live', moreNewer: false });
});

/** A message received so many minutes into the year. */
function at(minute: number): Pick<Message, 'ts_recv'> {
  return { ts_recv: new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString() };
}

it('begins anew when the server did', async () => {
  const t = await started([message(50), message(51)]);
  t.socket().onclose?.();
  t.server.messages = [message(1, { id: 'new-1' })];
  await vi.advanceTimersByTimeAsync(500);
  t.socket().onopen?.();
  await t.settle();
  expect(t.shown()).toEqual([1]);
});

it('takes silence for a dead connection only when something was missed', async () => {
  const t = await started([message(1)]);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(t.feed.state().phase).toBe('live');
  t.server.messages.push(message(2));
  await vi.advanceTimersByTimeAsync(15_000);
  expect(t.feed.state().phase).toBe('waiting');
});

it('stays away once stopped', async () => {
  const t = await started([message(1)]);
  t.feed.stop();
  expect(t.socket().closed).toBe(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(t.sockets).toHaveLength(1);
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
