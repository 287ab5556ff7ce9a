import type { PendingClaim, SavedEntry, SavedWorkers } from '../../api/saved';
import { worse } from '../../lib/accuracy';
import type { Accuracy } from '../../api/types';

/** A saved worker with all its connections. Units as in the API. */
export interface SavedWorker {
  name: string;
  hash: string;
  online: boolean;
  notify: boolean;
  owned: boolean;
  claim: PendingClaim | undefined;
  proof: SavedEntry['proof'];
  /** What its owner ordered; undefined while the pool chooses. */
  ordered: number | undefined;
  /** Sums over its connections. */
  hashrate: number;
  accuracy: Accuracy | undefined;
  sharesPerMinute: number;
  accepted: number;
  rejected: number;
  /** Of its first connection; 0 while it is offline. */
  difficulty: number;
  bestDifficulty: number;
  lastOnline: string | undefined;
  lastShare: string | undefined;
  /** 0 to 1; undefined where it is not known. */
  uptime: number | undefined;
  /** Those that are open, the oldest first. */
  connections: SavedEntry[];
}

/** The list by worker: what is online first, and otherwise in the server's order. */
export function groupSaved(list: SavedWorkers): SavedWorker[] {
  const byHash = new Map<string, SavedWorker>();
  for (const entry of [...list.online_workers, ...list.offline_workers]) {
    const known = byHash.get(entry.hash);
    if (known) add(known, entry);
    else byHash.set(entry.hash, begin(entry));
  }
  const workers = [...byHash.values()];
  for (const w of workers) {
    w.connections.sort((a, b) => (a.connection_seq ?? 0) - (b.connection_seq ?? 0));
  }
  return workers;
}

function begin(e: SavedEntry): SavedWorker {
  return {
    name: e.name,
    hash: e.hash,
    online: e.online,
    notify: e.notify_enabled,
    owned: e.owned,
    claim: e.claim,
    proof: e.proof,
    ordered: e.ordered_difficulty,
    hashrate: e.hashrate,
    accuracy: e.hashrate_accuracy,
    sharesPerMinute: e.shares_per_minute,
    accepted: e.accepted,
    rejected: e.rejected,
    difficulty: e.difficulty,
    bestDifficulty: e.best_difficulty,
    lastOnline: e.last_online_at,
    lastShare: e.last_share,
    uptime: e.uptime_percent_24h === undefined ? undefined : e.uptime_percent_24h / 100,
    connections: e.online ? [e] : [],
  };
}

function add(w: SavedWorker, e: SavedEntry): void {
  w.online ||= e.online;
  w.hashrate += e.hashrate;
  w.accuracy = worse(w.accuracy, e.hashrate_accuracy);
  w.sharesPerMinute += e.shares_per_minute;
  w.accepted += e.accepted;
  w.rejected += e.rejected;
  w.bestDifficulty = Math.max(w.bestDifficulty, e.best_difficulty);
  w.lastShare = later(w.lastShare, e.last_share);
  w.lastOnline = later(w.lastOnline, e.last_online_at);
  if (e.online) w.connections.push(e);
}

function later(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Date.parse(a) >= Date.parse(b) ? a : b;
}

/** Those whose name has the text in it, and whose state is as wanted. */
export function filterSaved(
  workers: readonly SavedWorker[],
  text: string,
  state: 'all' | 'online' | 'offline',
): SavedWorker[] {
  const wanted = text.trim().toLowerCase();
  return workers.filter(
    (w) =>
      (state === 'all' || w.online === (state === 'online')) &&
      w.name.toLowerCase().includes(wanted),
  );
}
