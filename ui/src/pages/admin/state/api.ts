import { queryOptions } from '@tanstack/react-query';
import { readAdmin } from '../../../api/admin';
import { isRefused } from '../../../api/client';

/** GET /api/admin/state. Sizes are in bytes; what the program does not have is left out. */
export interface ProgramState {
  version: string;
  commit?: string;
  go: string;
  started_at: string;
  uptime_sec: number;
  /** '' without one. */
  config_file: string;
  data_dir: string;
  database: string;
  sizes: {
    at: string;
    data_dir: number;
    database: number;
    blocks: number;
    capture: number;
    backups: number;
    /** There are more files than are counted. */
    partial?: boolean;
  };
  config: {
    reloads_applied: number;
    reloads_refused: number;
    /** Changed keys that wait for a restart. */
    restart_keys: number;
  };
  backup?: {
    running: boolean;
    encrypted: boolean;
    /** 0: only when asked for. */
    every_sec: number;
    targets: { name: string; location: string; last_success?: string; last_error?: string }[];
  };
  /** Ways to sign in: `ready`, or `not_reached`. */
  providers: { id: string; state: string; failed?: number }[];
  discord?: {
    connected: boolean;
    /** Discord does not take the token. */
    refused?: boolean;
    name?: string;
    since?: string;
    delivered: number;
    dropped: number;
  };
  price?: { value?: number; currency?: string; at?: string; fetched: number; failed: number };
  /** Lines that the log file did not take, and actions that the audit trail did not. */
  log_lines_lost: number;
  actions_dropped: number;
  /** Requests that were turned away, by reason. */
  refused: Record<string, number>;
  /** Attempts to sign in, by result. */
  sign_ins: Record<string, number>;
}

/** How often it is fetched again while it is looked at, ms. */
const PERIOD = 10_000;

export const stateQuery = queryOptions({
  queryKey: ['admin', 'state'],
  queryFn: ({ signal }) => readAdmin<ProgramState>('/api/admin/state', signal),
  refetchInterval: (query) => (isRefused(query.state.error) ? false : PERIOD),
});
