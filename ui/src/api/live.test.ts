import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveConnection, type LiveState, type Socket } from './live';
import type { LiveMessage } from './types';

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  closed = false;

  close(): void {
    this.closed = true;
  }

  say(seq: number, topic: string, data: unknown = {}): void {
    this.onmessage?.({ data: JSON.stringify({ seq, topic, data }) });
  }
}

function setup() {
  const sockets: FakeSocket[] = [];
  const messages: LiveMessage[] = [];
  const states: LiveState[] = [];
  const onGap = vi.fn();
  const connection = new LiveConnection(
    {
      connect: () => {
        const socket = new FakeSocket();
        sockets.push(socket);
        return socket;
      },
      random: () => 1,
    },
    {
      onMessage: (m) => messages.push(m),
      onGap,
      onState: (s) => states.push(s),
    },
  );
  connection.start();
  const last = () => {
    const socket = sockets.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  };
  return { connection, sockets, messages, states, onGap, last, phase: () => states.at(-1)?.phase };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('LiveConnection', () => {
  it('is live from the snapshot on and passes on what it hears', () => {
    const t = setup();
    expect(t.phase()).toBe('connecting');
    t.last().say(41, 'snapshot');
    t.last().say(42, 'overview', { active_miners: 3 });
    expect(t.phase()).toBe('live');
    expect(t.messages.map((m) => m.topic)).toEqual(['snapshot', 'overview']);
    expect(t.onGap).not.toHaveBeenCalled();
  });

  it('reports a hole in the sequence and goes on', () => {
    const t = setup();
    t.last().say(1, 'snapshot');
    t.last().say(2, 'status');
    t.last().say(4, 'status');
    expect(t.onGap).toHaveBeenCalledTimes(1);
    t.last().say(5, 'status');
    expect(t.onGap).toHaveBeenCalledTimes(1);
    expect(t.messages).toHaveLength(4);
  });

  it('counts topics that it does not know, without passing them on', () => {
    const t = setup();
    t.last().say(1, 'snapshot');
    t.last().say(2, 'fleet');
    t.last().say(3, 'status');
    expect(t.onGap).not.toHaveBeenCalled();
    expect(t.messages.map((m) => m.topic)).toEqual(['snapshot', 'status']);
  });

  it('survives what is not a message', () => {
    const t = setup();
    t.last().say(1, 'snapshot');
    t.last().onmessage?.({ data: 'nonsense' });
    t.last().onmessage?.({ data: 'null' });
    t.last().onmessage?.({ data: new ArrayBuffer(1) });
    expect(t.messages).toHaveLength(1);
  });

  it('comes back after a close, with growing pauses', () => {
    const t = setup();
    t.last().say(1, 'snapshot');
    const pauses: number[] = [];
    for (let i = 0; i < 7; i++) {
      t.last().onclose?.();
      expect(t.phase()).toBe('waiting');
      pauses.push((t.states.at(-1)?.retryAt ?? 0) - Date.now());
      vi.advanceTimersByTime(15_000);
      expect(t.phase()).toBe('reconnecting');
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    t.last().say(9, 'snapshot');
    expect(t.states.at(-1)).toEqual({ phase: 'live', attempts: 0, retryAt: undefined });
    // A new connection counts from anywhere: no gap.
    expect(t.onGap).not.toHaveBeenCalled();
  });

  it('takes silence for a dead connection', () => {
    const t = setup();
    t.last().say(1, 'snapshot');
    vi.advanceTimersByTime(14_000);
    t.last().say(2, 'status');
    vi.advanceTimersByTime(14_000);
    expect(t.phase()).toBe('live');
    vi.advanceTimersByTime(1_000);
    expect(t.phase()).toBe('waiting');
    expect(t.sockets[0]?.closed).toBe(true);
  });

  it('ignores the late close of a socket that it has already given up', () => {
    const t = setup();
    const first = t.last();
    const late = first.onclose;
    vi.advanceTimersByTime(15_000);
    vi.advanceTimersByTime(500);
    t.last().say(1, 'snapshot');
    late?.();
    expect(t.phase()).toBe('live');
    expect(t.sockets).toHaveLength(2);
  });

  it('tries at once when asked to, and only once', () => {
    const t = setup();
    t.last().onclose?.();
    t.connection.retryNow();
    expect(t.phase()).toBe('reconnecting');
    expect(t.sockets).toHaveLength(2);
    vi.advanceTimersByTime(5_000);
    expect(t.sockets).toHaveLength(2);
  });

  it('stays away once stopped', () => {
    const t = setup();
    t.last().onclose?.();
    t.connection.stop();
    vi.advanceTimersByTime(60_000);
    expect(t.sockets).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
