import { expect, it } from 'vitest';
import type { SavedEntry, SavedWorkers } from '../../api/saved';
import { message } from '../../scope/fixture';
import { filterSaved, groupSaved } from './group';
import { told } from './SaveForm';
import { appendLines, MOST } from './tail';

function entry(name: string, more: Partial<SavedEntry> = {}): SavedEntry {
  return {
    name,
    hash: `hash of ${name}`,
    online: true,
    notify_enabled: true,
    best_difficulty: 10,
    hashrate: 100,
    shares_per_minute: 2,
    accepted: 5,
    rejected: 1,
    difficulty: 8,
    owned: false,
    ...more,
  };
}

const list = (online: SavedEntry[], offline: SavedEntry[] = []): SavedWorkers => ({
  updated_at: '2026-11-22T12:00:00Z',
  saved_max: 64,
  saved_count: 2,
  online_count: 1,
  best_difficulty: 10,
  online_workers: online,
  offline_workers: offline,
});

it('makes one worker of several connections', () => {
  const [w, ...rest] = groupSaved(
    list([
      entry('a.x', {
        connection_seq: 9,
        last_share: '2026-11-22T11:00:00Z',
        hashrate_accuracy: '≈',
      }),
      entry('a.x', {
        connection_seq: 4,
        hashrate: 50,
        last_share: '2026-11-22T11:30:00Z',
        hashrate_accuracy: '~',
      }),
    ]),
  );
  expect(rest).toEqual([]);
  expect(w).toMatchObject({
    hashrate: 150,
    sharesPerMinute: 4,
    accepted: 10,
    rejected: 2,
    bestDifficulty: 10,
    lastShare: '2026-11-22T11:30:00Z',
    accuracy: '~',
  });
  expect(w?.connections.map((c) => c.connection_seq)).toEqual([4, 9]);
});

it('keeps workers apart whose names look alike', () => {
  const names = groupSaved(
    list([entry('a.rig'), entry('a.Rig')], [entry('a.rig ', { online: false })]),
  );
  expect(names.map((w) => w.name)).toEqual(['a.rig', 'a.Rig', 'a.rig ']);
  expect(names[2]?.connections).toEqual([]);
});

it('takes 64 workers of 16 connections each', () => {
  const many = Array.from({ length: 64 * 16 }, (_, i) =>
    entry(`a.${i % 64}`, { connection_seq: i }),
  );
  const workers = groupSaved(list(many));
  expect(workers).toHaveLength(64);
  expect(workers.every((w) => w.connections.length === 16)).toBe(true);
});

it('finds by a part of the name and by state', () => {
  const workers = groupSaved(list([entry('a.Garage')], [entry('a.attic', { online: false })]));
  expect(filterSaved(workers, 'GAR', 'all').map((w) => w.name)).toEqual(['a.Garage']);
  expect(filterSaved(workers, '', 'offline').map((w) => w.name)).toEqual(['a.attic']);
  expect(filterSaved(workers, 'garage', 'offline')).toEqual([]);
});

it('tells what came of an import', () => {
  expect(told({ added: ['a', 'b'], known: 1, left_out: 3 })).toBe(
    '2 workers saved. 1 had been saved before. For 3 there was no place left.',
  );
  expect(told({ added: [], known: 0, left_out: 0 })).toBe(
    'The pool knows no worker of this address.',
  );
});

it('keeps the end of a wire, each line once, and never goes back', () => {
  const lines = Array.from({ length: MOST + 5 }, (_, i) => message(i + 1));
  const tail = appendLines(
    { lines: [], next: 0, live: true },
    { lines, next: MOST + 5, live: true },
  );
  expect(tail.lines).toHaveLength(MOST);
  expect(tail.lines.at(-1)?.id).toBe(lines.at(-1)?.id);
  const again = appendLines(tail, { lines: lines.slice(-3), next: 2, live: false });
  expect(again.lines).toHaveLength(MOST);
  expect(again.next).toBe(MOST + 5);
  expect(again.live).toBe(false);
});
