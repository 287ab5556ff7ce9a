import { queryOptions } from '@tanstack/react-query';
import type { Message } from '../scope/types';
import { fetchJSON, sendJSON } from './client';
import type { Accuracy } from './types';

/** A saved worker as the list has it: one entry for each of its connections. Units as in types.ts. */
export interface SavedEntry {
  /** As it was saved, in full. */
  name: string;
  /** SHA-256 of the name: what the worker is asked for by. */
  hash: string;
  online: boolean;
  notify_enabled: boolean;
  /** The best share ever. */
  best_difficulty: number;
  best_session?: number;
  last_online_at?: string;
  last_share?: string;
  hashrate: number;
  hashrate_accuracy?: Accuracy;
  shares_per_minute: number;
  accepted: number;
  rejected: number;
  difficulty: number;
  estimated_ping_p50_ms?: number;
  estimated_ping_p95_ms?: number;
  /** Only while it is online. */
  connection_seq?: number;
  connection_duration_seconds?: number;
  /** Proven to be this person's. */
  owned: boolean;
  /** How: by the miner's password, or by its address for all workers of it. */
  proof?: 'password' | 'address';
  /** What its owner ordered; left out while the pool chooses. */
  ordered_difficulty?: number;
  /** What was begun to prove it. */
  claim?: PendingClaim;
  /** 0 to 100. */
  uptime_percent_24h?: number;
}

/** A code that the miner is to send. */
export interface PendingClaim {
  code: string;
  expires_at: string;
  /** The code came; the worker’s first accepted shares decide. */
  waiting?: boolean;
  /** Why the code did not count when it came. */
  refused?: string;
}

/** GET /api/saved-workers. */
export interface SavedWorkers {
  updated_at: string;
  saved_max: number;
  saved_count: number;
  online_count: number;
  /** Left out where the pool has no Discord bot. */
  discord_registered?: boolean;
  discord_notify_enabled?: boolean;
  best_difficulty: number;
  online_workers: SavedEntry[];
  offline_workers: SavedEntry[];
}

/** GET /api/saved-workers/history: hashrates of a day, by the worker's hash. */
export interface SavedHistory {
  workers: Record<string, { at: string; hashrate: number }[]>;
}

/** POST /api/saved-workers/{hash}/claim: the two ways to prove that a worker is one's own. */
export interface Claim extends PendingClaim {
  /** What is to be signed with the address's key (BIP-322). */
  message: string;
  /** The worker's payout address; left out where its name has none. */
  address?: string;
}

/** How often the list is fetched again while it is looked at, ms; sooner while something is awaited. */
const PERIOD = 10_000;
const EAGER = 3_000;

const KEY = ['saved'] as const;

function hasClaim(data: SavedWorkers | undefined): boolean {
  return (
    data !== undefined && [...data.online_workers, ...data.offline_workers].some((w) => w.claim)
  );
}

/** What the signed-in person saved. */
export const savedQuery = queryOptions({
  queryKey: KEY,
  queryFn: ({ signal }) => fetchJSON<SavedWorkers>('/api/saved-workers', signal),
  refetchInterval: (query) => {
    if (query.state.status === 'error') return PERIOD;
    return hasClaim(query.state.data) ? EAGER : PERIOD;
  },
});

/** A new point of the sparklines comes every ten minutes. */
export const savedHistoryQuery = queryOptions({
  queryKey: [...KEY, 'history'],
  queryFn: ({ signal }) => fetchJSON<SavedHistory>('/api/saved-workers/history?range=24h', signal),
  refetchInterval: 300_000,
  staleTime: 60_000,
});

const at = (hash: string) => `/api/saved-workers/${encodeURIComponent(hash)}`;

export function saveWorker(name: string): Promise<{ hash: string }> {
  return sendJSON('POST', '/api/saved-workers', { name });
}

/** What came of saving all workers of an address. */
export interface Imported {
  /** Names. */
  added: string[];
  /** Those that were saved before. */
  known: number;
  /** Those that there was no room for. */
  left_out: number;
}

/** For operators, and for those who have proven the address by a signature. */
export function importWorkers(address: string): Promise<Imported> {
  return sendJSON('POST', '/api/saved-workers/import', { address });
}

export function removeWorker(hash: string): Promise<unknown> {
  return sendJSON('DELETE', at(hash));
}

export function setNotify(hash: string, enabled: boolean): Promise<unknown> {
  return sendJSON('POST', '/api/saved-workers/notify-enabled', { hash, enabled });
}

export function claimWorker(hash: string): Promise<Claim> {
  return sendJSON('POST', `${at(hash)}/claim`);
}

export function proveBySignature(hash: string, signature: string): Promise<unknown> {
  return sendJSON('POST', `${at(hash)}/claim/signature`, { signature });
}

/** Gives up a claim, or the ownership that came of it. */
export function giveUpWorker(hash: string): Promise<unknown> {
  return sendJSON('DELETE', `${at(hash)}/claim`);
}

export function restartWorker(hash: string): Promise<{ connections: number }> {
  return sendJSON('POST', `${at(hash)}/restart`);
}

/** Sets the difficulty of an own worker; null lets the pool choose again. */
export function setDifficulty(hash: string, difficulty: number | null): Promise<unknown> {
  return sendJSON('PUT', `${at(hash)}/difficulty`, { difficulty });
}

/** GET /api/saved-workers/{hash}/wire: what was captured of an own worker. */
export interface WireSessions {
  /** What of the pool's connections is captured now: `off`, `all`, `worker:NAME`, or `other`. */
  tap: string;
  /** The latest first. */
  sessions: WireSession[];
}

export interface WireSession {
  id: string;
  connected_at: string;
  ended_at?: string;
  live: boolean;
  user_agent: string;
  /** Lines. */
  messages: number;
}

export function wireQuery(hash: string) {
  return queryOptions({
    queryKey: [...KEY, hash, 'wire'],
    queryFn: ({ signal }) => fetchJSON<WireSessions>(`${at(hash)}/wire`, signal),
    refetchInterval: PERIOD,
  });
}

/** A page of the lines of a session, in the order in which they were captured. */
export interface WireLines {
  live: boolean;
  lines: Message[];
  /** What to ask for lines after. */
  next: number;
}

export function fetchLines(
  hash: string,
  session: string,
  after: number,
  signal: AbortSignal,
): Promise<WireLines> {
  return fetchJSON(`${at(hash)}/wire/${encodeURIComponent(session)}?after=${after}`, signal);
}
