import { queryOptions } from '@tanstack/react-query';
import { fetchJSON, sendJSON } from './client';

/** GET /api/discord: whether somebody's account is linked with one of Discord. */
export interface DiscordLink {
  /** Whether the pool has a bot there. */
  configured: boolean;
  registered: boolean;
  notify_enabled: boolean;
  /** Of the account of Discord; anybody's words. */
  name?: string;
  linked_at?: string;
  /** Where one joins the pool's server. */
  invite_url?: string;
}

/** A code to give to the bot, once. */
export interface OneTimeCode {
  code: string;
  expires_at: string;
}

/** How often it is asked whether the link is made, while a code waits, ms; and otherwise. */
export const EAGER = 3_000;
const PERIOD = 30_000;

/** The link with Discord; null where the pool has no bot. */
export const discordQuery = queryOptions({
  queryKey: ['discord'],
  queryFn: async ({ signal }) => {
    const link = await fetchJSON<DiscordLink>('/api/discord', signal);
    return link.configured ? link : null;
  },
  refetchInterval: (query) => (query.state.data === null ? false : PERIOD),
});

export function makeCode(): Promise<OneTimeCode> {
  return sendJSON('POST', '/api/saved-workers/one-time-code');
}

export function clearCode(code: string): Promise<unknown> {
  return sendJSON('POST', '/api/saved-workers/one-time-code/clear', { code });
}

export function setDiscordNotify(enabled: boolean): Promise<unknown> {
  return sendJSON('POST', '/api/discord/notify-enabled', { enabled });
}

export function unlinkDiscord(): Promise<unknown> {
  return sendJSON('POST', '/api/discord/unlink');
}
