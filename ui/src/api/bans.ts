import { queryOptions } from '@tanstack/react-query';
import { askForToken, token } from '../scope/access';
import { NotAllowed } from '../scope/client';
import { fetchJSON, isRefused, sendJSON } from './client';

/** GET /api/bans, for the operator only. */
export interface BanList {
  api_version: string;
  /** Those that last longest first. */
  bans: Ban[];
}

export interface Ban {
  /** An IP address, or a network in CIDR notation. */
  address: string;
  since: string;
  /** Left out when it lasts until it is lifted. */
  until?: string;
  /** 1 for the pool's first ban of an address; each doubles the time. 0 for bans by hand. */
  level: number;
  reason: string;
  /** A person made it. */
  manual: boolean;
}

/** POST /api/bans. */
export interface BanOrder {
  address: string;
  /** 0: until it is lifted. */
  duration_sec: number;
  reason: string;
  /** Bans also this machine and private networks, which is refused with 409 without it. */
  private?: boolean;
}

/** How often the list is fetched again while it is looked at, ms. */
const PERIOD = 5_000;

export const bansQuery = queryOptions({
  queryKey: ['bans'],
  queryFn: ({ signal }) => fetchJSON<BanList>('/api/bans', signal, token()),
  // Who was refused once is not let in for asking again.
  refetchInterval: (query) => (isRefused(query.state.error) ? false : PERIOD),
});

/**
 * Changes bans; on this machine without a token, as far as none is configured.
 * Where the server wants it, it is asked for. Rejects with NotAllowed when it
 * was not given.
 */
async function operate(method: 'POST' | 'DELETE', path: string, body?: BanOrder): Promise<void> {
  for (;;) {
    const secret = token();
    try {
      await sendJSON(method, path, body, secret);
      return;
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
    if (token() !== secret) continue; // given meanwhile
    if (!(await askForToken({ reason: 'operator', wrong: secret !== '' }))) throw new NotAllowed();
  }
}

export function ban(order: BanOrder): Promise<void> {
  return operate('POST', '/api/bans', order);
}

export function lift(address: string): Promise<void> {
  // A network's slash is part of the path, as the server has it.
  return operate('DELETE', `/api/bans/${address.split('/').map(encodeURIComponent).join('/')}`);
}
