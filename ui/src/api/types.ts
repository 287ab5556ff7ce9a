/**
 * What the server sends. The first half is the public pool contract
 * (/api/overview, /api/pool-hashrate, /api/blocks): names, units and omissions
 * are fixed by it. The second half is this project's own (/api/status,
 * /api/history, /api/live).
 *
 * Units: hashrates are hashes per second, amounts are satoshis, difficulties
 * are multiples of difficulty 1 (2^32 hashes), timestamps are RFC 3339.
 */

export interface Overview {
  api_version: string;
  /** Open miner connections, signed in or not. */
  active_miners: number;
  active_tls_miners: number;
  shares_per_minute?: number;
  pool_hashrate?: number;
  pool_tag?: string;
  /** What a bitcoin costs, absent while not known. */
  btc_price_fiat?: number;
  /** When that was the price. */
  btc_price_updated_at?: string;
  /** ISO 4217 code in lower case. */
  fiat_currency?: string;
  /** Nanoseconds. */
  render_duration: number;
  workers: Worker[];
  banned_workers: BannedWorker[];
  best_shares: BestShare[];
  miner_types?: MinerType[];
}

/** How sure a hashrate is: still warming up, settling, or (absent) stable. */
export type Accuracy = '~' | '≈';

export interface Worker {
  /** Censored: the address is shortened. */
  name: string;
  display_name: string;
  rolling_hashrate: number;
  hashrate_accuracy?: Accuracy;
  difficulty: number;
  /** The difficulty that vardiff would choose now. */
  vardiff: number;
  /** Accepted shares per minute. */
  share_rate: number;
  accepted: number;
  connection_id: string;
}

export interface BannedWorker {
  name: string;
  display_name: string;
  banned: boolean;
  banned_until?: string;
  ban_reason?: string;
}

export interface BestShare {
  worker: string;
  difficulty: number;
  timestamp: string;
  hash?: string;
  display_worker?: string;
  display_hash?: string;
}

export interface MinerType {
  name: string;
  total_workers: number;
  versions: { version?: string; workers: number }[];
}

export interface PoolHashrate {
  api_version: string;
  pool_hashrate: number;
  pool_hashrate_history?: { at: string; hashrate: number; block_height?: number }[];
  /** Height of the chain's tip. */
  block_height: number;
  block_difficulty: number;
  /** Seconds left of the ten-minute target; -1 = timer not started, below: overdue. */
  block_time_left_sec: number;
  /** Header times of the last blocks of the network (at most 4), oldest first. */
  recent_block_times: string[];
  next_difficulty_retarget?: { height: number; blocks_away: number; duration_estimate?: string };
  template_tx_fees_sats?: number;
  template_updated_at?: string;
  updated_at: string;
}

export interface FoundBlock {
  height: number;
  hash: string;
  display_hash: string;
  worker: string;
  display_worker: string;
  timestamp: string;
  share_diff: number;
  pool_fee_sats?: number;
  worker_payout_sats?: number;
  confirmations?: number;
  /** "winning" is six deep, "possible" is on its way, "stale" lost. */
  result?: 'possible' | 'winning' | 'stale';
}

export interface Status {
  api_version: string;
  version: string;
  network: string;
  state: 'waiting_for_node' | 'mining' | 'turning_away' | 'paused';
  reason: string;
  started_at: string;
  stratum: Listener[];
  tag: string;
  fee_percent: number;
  template?: Template;
  nodes: NodeStatus[];
  connections: number;
  tls_connections: number;
  authorized: number;
  accepted: number;
  rejected: number;
  accepted_work: number;
  rejects: Reject[];
  closes: Count[];
  drops: Count[];
  best_share?: { worker: string; difficulty: number; timestamp: string; hash: string };
  hashrate: number;
  shares_per_minute: number;
  /** Round-trip times to the miners: median, and 95th percentile. */
  ping_p50_ms?: number;
  ping_p95_ms?: number;
  blocks_accepted: number;
  blocks_errored: number;
}

/** An address that miners connect to. */
export interface Listener {
  name?: string;
  url: string;
  tls: boolean;
  /** Open now. */
  connections: number;
}

export interface Template {
  id: string;
  /** Height of the block being worked on: the tip's plus one. */
  height: number;
  prev_hash: string;
  bits: string;
  network_difficulty: number;
  transactions: number;
  fees_sats: number;
  value_sats: number;
  weight: number;
  created_at: string;
  updated_at: string;
  node: string;
}

export interface NodeStatus {
  name: string;
  address: string;
  state: string;
  /** In words for people. */
  reason: string;
  height: number;
  headers: number;
  latency_ms: number;
  zmq: boolean;
  active: boolean;
  version: string;
}

export interface Reject {
  reason: string;
  text: string;
  advice: string;
  count: number;
}

export interface Count {
  reason: string;
  count: number;
}

export type HistoryRange = '6m' | '24h' | '30d';

export interface History {
  range: HistoryRange;
  step_seconds: number;
  points: HistoryPoint[];
}

export interface HistoryPoint {
  at: string;
  hashrate: number;
  accepted: number;
  rejected: number;
  /** Difficulty of the best share in this step; 0 when there was none. */
  best_share: number;
  block_height: number;
}

/** The views that /api/live sends, by topic. */
export interface LiveTopics {
  overview: Overview;
  hashrate: PoolHashrate;
  blocks: FoundBlock[];
  status: Status;
}

/** One message of /api/live. `seq` counts every message of one connection. */
export type LiveMessage =
  | { seq: number; topic: 'snapshot'; data: LiveTopics }
  | { [T in keyof LiveTopics]: { seq: number; topic: T; data: LiveTopics[T] } }[keyof LiveTopics];
