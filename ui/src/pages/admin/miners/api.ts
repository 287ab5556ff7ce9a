import { queryOptions } from '@tanstack/react-query';
import { operate, readAdmin } from '../../../api/admin';
import { isRefused } from '../../../api/client';

/** A live connection of a miner. */
export interface Miner {
  id: string;
  /** Full name; '' while it has not signed in. */
  worker: string;
  /** SHA-256 of the name; '' without one. */
  worker_hash: string;
  /** Payout address. */
  address: string;
  /** IP address; '' when it is not known. */
  remote: string;
  user_agent: string;
  tls: boolean;
  connected_at: string;
  /** Hashes per second. */
  hashrate: number;
  difficulty: number;
  accepted: number;
  rejected: number;
  /** Points of junk; at a limit the connection is dropped. */
  strikes: number;
  /** What operators wrote about the worker. */
  note?: string;
  /** Session of the scope that shows this connection. */
  scope_session?: string;
}

export interface MinerList {
  /** Open connections. */
  total: number;
  /** Connections that are not in the list, of which there are too many. */
  truncated?: number;
  /** Points at which a connection is dropped; 0: never. */
  strike_limit: number;
  miners: Miner[];
}

/** How often the list is fetched again while it is looked at, ms. */
const PERIOD = 5_000;

export const minersQuery = queryOptions({
  queryKey: ['admin', 'miners'],
  queryFn: ({ signal }) => readAdmin<MinerList>('/api/admin/miners', signal),
  refetchInterval: (query) => (isRefused(query.state.error) ? false : PERIOD),
});

function path(connection: string): string {
  return `/api/admin/miners/${encodeURIComponent(connection)}`;
}

/** Closes a connection; the miner may come back at once. */
export function disconnect(connection: string): Promise<unknown> {
  return operate('DELETE', path(connection));
}

/** How long a ban lasts and why it is made. */
export interface BanTerms {
  /** 0: until it is lifted. */
  duration_sec: number;
  reason: string;
  /** Bans also this machine and private networks, which is refused with 409 without it. */
  private?: boolean;
}

/** Bans the address that a connection comes from. */
export function banMiner(connection: string, terms: BanTerms): Promise<unknown> {
  return operate('POST', `${path(connection)}/ban`, terms);
}

/** Writes a note about a worker, known by the SHA-256 of its full name; '' takes it away. */
export function writeNote(hash: string, note: string): Promise<unknown> {
  return operate('PUT', `/api/admin/notes/${hash}`, { note });
}
