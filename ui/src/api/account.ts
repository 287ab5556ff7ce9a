import { queryOptions } from '@tanstack/react-query';
import { fetchJSON, sendJSON } from './client';

/** A browser or program in which somebody is signed in. */
export interface SignedIn {
  id: string;
  /** The one that asks. */
  current: boolean;
  created_at: string;
  last_seen: string;
  expires_at: string;
  /** As it names itself; anybody's words. */
  user_agent: string;
  /** IP address that signed in. */
  address: string;
  provider: string;
}

/** How often the list is fetched again while it is looked at, ms. */
const PERIOD = 60_000;

export const sessionsQuery = queryOptions({
  queryKey: ['session', 'all'],
  queryFn: ({ signal }) => fetchJSON<{ sessions: SignedIn[] }>('/api/auth/sessions', signal),
  refetchInterval: PERIOD,
});

export function endSession(id: string): Promise<unknown> {
  return sendJSON('DELETE', `/api/auth/sessions/${encodeURIComponent(id)}`);
}

/** Ends all sessions but the one that asks. */
export function endOtherSessions(): Promise<unknown> {
  return sendJSON('DELETE', '/api/auth/sessions');
}

export function changePassword(current: string, next: string): Promise<unknown> {
  return sendJSON('POST', '/api/auth/password', { current, new: next });
}
