import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { token } from '../scope/access';
import { fetchJSON } from './client';
import type { Accuracy, BestShare, History, Reject } from './types';

/** A worker as the list has it. Units as in types.ts. */
export interface WorkerRow {
  /** For the address of its page; says nothing about its name. */
  id: string;
  /** In full for the operator and its owner, else censored. */
  name: string;
  online: boolean;
  connections: number;
  tls: boolean;
  user_agent: string;
  hashrate: number;
  hashrate_accuracy?: Accuracy;
  /** Accepted shares per minute. */
  share_rate: number;
  difficulty: number;
  /** The difficulty that vardiff would choose now. */
  vardiff: number;
  accepted: number;
  rejected: number;
  best_share: number;
  /** The best since it connected. */
  best_session: number;
  ping_p50_ms?: number;
  last_share?: string;
  last_seen: string;
  first_seen: string;
}

export interface WorkerList {
  api_version: string;
  updated_at: string;
  /** Whether the names are in full, since the viewer is the operator. */
  operator: boolean;
  total: number;
  online: number;
  /** Workers that were left out. */
  truncated?: number;
  workers: WorkerRow[];
}

export interface WorkerConnection {
  id: string;
  user_agent: string;
  tls: boolean;
  /** For the operator only. */
  remote?: string;
  connected_at: string;
  difficulty: number;
  ping_p50_ms?: number;
  ping_p95_ms?: number;
  extranonce1: string;
  /** The scope's session of this connection, when the tap sees it. */
  scope_session?: string;
}

export interface AssignedDifficulty {
  at: string;
  difficulty: number;
  /** Every connection has its own. */
  connection_id: string;
}

export interface WorkerShare {
  at: string;
  /** The one that the pool had asked for. */
  difficulty: number;
  /** The true one; 0 when it is not known. */
  share_difficulty: number;
  accepted: boolean;
  reason?: string;
}

/** What a worker hashes now. Scripts and transactions are hexadecimal. */
export interface WorkerCoinbase {
  connection_id: string;
  job_id: string;
  height: number;
  /** Bitcoin Core's name of the chain. */
  network: string;
  /** The whole coinbase without witness, with extranonce2 all zero. */
  tx: string;
  extranonce1: string;
  extranonce2_size: number;
  /** Where extranonce1 begins in the transaction, bytes. */
  script_offset: number;
  payout_script: string;
  payout_sats: number;
  /** What the operator keeps. */
  fee_script?: string;
  fee_sats: number;
  /** What the operator gives away of the fee. */
  donation_script?: string;
  donation_sats: number;
  value_sats: number;
  /** Merkle branches as they are hashed, lowest level first. */
  branches: string[];
  /** In the order in which it is shown. */
  prev_hash: string;
  /** Eight hexadecimal digits each, as in mining.notify. */
  version: string;
  bits: string;
  ntime: string;
  fee_percent: number;
}

export interface Worker extends WorkerRow {
  api_version: string;
  updated_at: string;
  operator: boolean;
  /** Whether the viewer asked by the hash of the full name. */
  owner: boolean;
  address: string;
  /** Sums of difficulties. */
  rejected_work: number;
  accepted_work: number;
  ping_p95_ms?: number;
  rejects: Reject[];
  /** Newest first. */
  connections_list: WorkerConnection[];
  /** Oldest first. */
  difficulties: AssignedDifficulty[];
  /** The latest, oldest first. */
  shares: WorkerShare[];
  best_shares: Pick<BestShare, 'difficulty' | 'timestamp' | 'hash'>[];
  /** For the operator and the owner, while the worker is connected. */
  coinbase?: WorkerCoinbase;
}

/** How often the list and a worker are fetched again while they are looked at, ms. */
const LIST_PERIOD = 5_000;
const WORKER_PERIOD = 2_000;

/** Fetches with the token, where it was given: the operator sees names in full. */
function fetchAs<T>(path: string, signal: AbortSignal): Promise<T> {
  return fetchJSON<T>(path, signal, token());
}

export const workersQuery = queryOptions({
  queryKey: ['workers'],
  queryFn: ({ signal }) => fetchAs<WorkerList>('/api/workers', signal),
  refetchInterval: LIST_PERIOD,
  // Comparing 10,000 rows with their predecessors costs more than drawing the few in view.
  structuralSharing: false,
});

/** A worker by its id or key. */
export function workerQuery(id: string) {
  return queryOptions({
    queryKey: ['workers', id],
    queryFn: ({ signal }) => fetchAs<Worker>(`/api/workers/${encodeURIComponent(id)}`, signal),
    refetchInterval: WORKER_PERIOD,
  });
}

export type WorkerRange = '24h' | '30d';

/** How often each range gets a new point, ms. */
const steps: Record<WorkerRange, number> = { '24h': 60_000, '30d': 600_000 };

export function workerHistoryQuery(id: string, range: WorkerRange) {
  return queryOptions({
    queryKey: ['workers', id, 'history', range],
    queryFn: ({ signal }) =>
      fetchAs<History>(`/api/workers/${encodeURIComponent(id)}/history?range=${range}`, signal),
    refetchInterval: steps[range],
    placeholderData: keepPreviousData,
  });
}
