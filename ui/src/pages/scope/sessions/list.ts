import type { Session } from '../../../scope/types';

export type State = 'all' | 'live' | 'ended';
export type Origin = 'all' | 'proxy' | 'tap';

export interface SessionFilter {
  state: State;
  origin: Origin;
  text: string;
}

/** The sessions that a filter wants, those that began last first. */
export function filterSessions(sessions: readonly Session[], filter: SessionFilter): Session[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return sessions
    .filter((s) => {
      if (filter.state !== 'all' && s.live !== (filter.state === 'live')) return false;
      if (filter.origin !== 'all' && s.origin !== filter.origin) return false;
      if (words.length === 0) return true;
      const text = searchText(s);
      return words.every((w) => text.includes(w));
    })
    .reverse();
}

function searchText(s: Session): string {
  return [
    s.session_id,
    s.user_agent,
    s.peer,
    s.pool_host,
    s.pool_peer,
    s.close_reason,
    ...(s.workers ?? []),
  ]
    .join(' ')
    .toLowerCase();
}

/** Where a session's miner is connected to, in words. */
export function poolOf(s: Session): string {
  if (s.origin === 'tap') return 'our own pool';
  if (s.pool_host === null) return s.pool_peer ?? '';
  return s.pool_port === null ? s.pool_host : `${s.pool_host}:${s.pool_port}`;
}
