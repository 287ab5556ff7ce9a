import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Socket } from '../api/live';
import { AgentFeed, takeFrame, type AgentChange } from './agentFeed';
import { agent } from './agentFixture';

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  close = vi.fn();

  say(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
  }
}

function started() {
  const sockets: FakeSocket[] = [];
  const frames: AgentChange[] = [];
  const feed = new AgentFeed({
    connect: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    onFrame: (frame) => frames.push(frame),
    random: () => 1,
  });
  feed.start();
  return { feed, frames, sockets, socket: () => sockets.at(-1) ?? new FakeSocket() };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it('is live from the first frame with all agents on', () => {
  const t = started();
  expect(t.feed.state().phase).toBe('connecting');
  t.socket().say({ type: 'init', agents: [] });
  expect(t.feed.state()).toEqual({ phase: 'live', attempts: 0, retryAt: undefined });
});

it('connects again after a cut, waiting longer each time, and at once when asked to', () => {
  const t = started();
  t.socket().say({ type: 'init', agents: [] });
  const pauses: number[] = [];
  for (let i = 0; i < 8; i++) {
    t.socket().onclose?.();
    pauses.push((t.feed.state().retryAt ?? 0) - Date.now());
    vi.advanceTimersByTime(20_000);
    expect(t.feed.state().phase).toBe('reconnecting');
  }
  expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  t.socket().onclose?.();
  t.feed.retryNow();
  expect(t.sockets).toHaveLength(10);
  t.socket().say({ type: 'init', agents: [] });
  expect(t.feed.state()).toMatchObject({ phase: 'live', attempts: 0 });
});

it('takes silence for a dead connection, but not with pings in it', () => {
  const t = started();
  t.socket().say({ type: 'init', agents: [] });
  for (let i = 0; i < 5; i++) {
    vi.advanceTimersByTime(30_000);
    t.socket().say({ type: 'ping' });
  }
  expect(t.feed.state().phase).toBe('live');
  const silent = t.socket();
  vi.advanceTimersByTime(66_000);
  expect(silent.close).toHaveBeenCalled();
  expect(t.sockets).toHaveLength(2);
});

it('survives what is no frame', () => {
  const t = started();
  for (const noise of ['', '{', 'null', '7', '{}']) t.socket().say(noise);
  expect(t.frames).toEqual([]);
  expect(t.feed.state().phase).toBe('connecting');
});

it('does nothing any more once it is stopped', () => {
  const t = started();
  t.socket().onclose?.();
  t.feed.stop();
  vi.advanceTimersByTime(60_000);
  expect(t.sockets).toHaveLength(1);
});

it('replaces, adds, silences and forgets agents', () => {
  const eu = agent('eu');
  const us = agent('us');
  let agents = takeFrame(undefined, { type: 'init', agents: [eu] });
  agents = takeFrame(agents, { type: 'telemetry', agent_id: 'us', agent: us });
  expect(agents).toEqual([eu, us]);
  const later = { ...eu, conn_state: 'reconnecting' };
  agents = takeFrame(agents, { type: 'telemetry', agent_id: 'eu', agent: later });
  expect(agents).toEqual([later, us]);
  agents = takeFrame(agents, { type: 'state', agent_id: 'us', state: 'silent' });
  expect(agents?.[1]).toMatchObject({ state: 'silent', silent_since: us.received_at });
  agents = takeFrame(agents, { type: 'state', agent_id: 'us', state: 'expired' });
  expect(agents).toEqual([later]);
  expect(takeFrame(agents, { type: 'ping' })).toBe(agents);
});

it('knows nobody from telemetry alone: that one agent is not the fleet', () => {
  const frame = { type: 'telemetry', agent_id: 'eu', agent: agent('eu') } as const;
  expect(takeFrame(undefined, frame)).toBeUndefined();
});
