import { queryOptions } from '@tanstack/react-query';
import { fetchJSON } from './client';

/**
 * The views of the contract that the node's and the server's page show. They
 * are not in the live feed, but fetched while they are looked at. Units as in
 * types.ts.
 */

/** GET /api/node: the node that templates come from. Numbers are 0 until it answered. */
export interface NodePage {
  api_version: string;
  /** Bitcoin Core's name of the chain. */
  node_network?: string;
  node_subversion?: string;
  node_blocks: number;
  node_headers: number;
  node_initial_block_download: boolean;
  node_connections: number;
  node_connections_in: number;
  node_connections_out: number;
  /** At most 64. */
  node_peers?: NodePeer[];
  node_pruned: boolean;
  node_size_on_disk_bytes: number;
  genesis_hash?: string;
  genesis_expected?: string;
  genesis_match: boolean;
  best_block_hash?: string;
}

export interface NodePeer {
  display: string;
  ping_ms: number;
  /** Seconds since 1970. */
  connected_at: number;
}

/** GET /api/server. */
export interface ServerPage {
  api_version: string;
  /** Nanoseconds. */
  uptime: number;
  rpc_error?: string;
  rpc_healthy: boolean;
  rpc_disconnects: number;
  rpc_reconnects: number;
  /** Why the books cannot be written now. */
  accounting_error?: string;
  job_feed: JobFeed;
  process_goroutines: number;
  /** 100 = all cores of the machine. */
  process_cpu_percent: number;
  go_mem_alloc_bytes: number;
  go_mem_sys_bytes: number;
  process_rss_bytes: number;
  /** Figures of the machine are 0 where its system does not tell. */
  system_mem_total_bytes: number;
  system_mem_free_bytes: number;
  system_mem_used_bytes: number;
  system_load1: number;
  system_load5: number;
  system_load15: number;
}

/** Where work comes from. The block is the tip of the chain. */
export interface JobFeed {
  last_error?: string;
  last_error_at?: string;
  error_history?: string[];
  zmq_healthy: boolean;
  zmq_disconnects: number;
  zmq_reconnects: number;
  last_raw_block_at?: string;
  last_raw_block_bytes?: number;
  block_hash?: string;
  block_height?: number;
  block_time?: string;
  /** Eight hexadecimal digits. */
  block_bits?: string;
  block_difficulty?: number;
}

/** GET /api/pool-page. Times are seconds; counted since the process started. */
export interface PoolPage {
  api_version: string;
  blocks_accepted: number;
  blocks_errored: number;
  rpc_gbt_last_sec: number;
  rpc_gbt_max_sec: number;
  rpc_gbt_count: number;
  rpc_submit_last_sec: number;
  rpc_submit_max_sec: number;
  rpc_submit_count: number;
  rpc_errors: number;
  share_errors: number;
  rpc_gbt_min_1h_sec: number;
  rpc_gbt_avg_1h_sec: number;
  rpc_gbt_max_1h_sec: number;
  /** At most 6, of the last hour, newest first. */
  error_history?: ErrorEvent[];
}

export interface ErrorEvent {
  at?: string;
  type: string;
  message: string;
}

/** The contract's refresh period of these views, ms. */
const PERIOD = 10_000;

export const nodePageQuery = queryOptions({
  queryKey: ['node'],
  queryFn: ({ signal }) => fetchJSON<NodePage>('/api/node', signal),
  refetchInterval: PERIOD,
});

export const serverPageQuery = queryOptions({
  queryKey: ['server'],
  queryFn: ({ signal }) => fetchJSON<ServerPage>('/api/server', signal),
  refetchInterval: PERIOD,
});

export const poolPageQuery = queryOptions({
  queryKey: ['pool-page'],
  queryFn: ({ signal }) => fetchJSON<PoolPage>('/api/pool-page', signal),
  refetchInterval: PERIOD,
});
