import { useEffect, useState, useSyncExternalStore } from 'react';
import { parseTime } from '../lib/format';
import { read, readJSON } from './client';
import { MessageFeed } from './feed';
import type { FeedState, Page, PageQuery } from './feedState';
import { filterQuery, type MessageFilter } from './filter';
import { connectMessages } from './socket';
import type { Message, ScopeStatus } from './types';

function makeFeed(filter: MessageFilter): MessageFeed {
  return new MessageFeed({
    filter,
    connect: connectMessages,
    fetchPage: (query) => fetchPage(filter, query),
    timeOf: async (cursor) => {
      const page = await fetchPage({}, { cursor, limit: 1 });
      return parseTime(page.messages[0]?.ts_recv);
    },
    oldest: oldestKept,
    schedule: (callback) => {
      // A tab in the background is drawn no frames; it has to keep up all the same.
      if (document.hidden) setTimeout(callback, 250);
      else requestAnimationFrame(callback);
    },
  });
}

/** When the journal begins, or what is kept in memory where there is no journal. */
async function oldestKept(): Promise<number | undefined> {
  const status = await readJSON<ScopeStatus>('/api/scope/status');
  const journal = status.parts.journal as { oldest_at?: string } | undefined;
  return parseTime(journal?.oldest_at);
}

/** Fetches messages of a filter, newest first. */
export async function fetchPage(
  filter: MessageFilter,
  { cursor, limit, since, until }: PageQuery,
): Promise<Page> {
  const query = filterQuery(filter);
  query.set('limit', String(limit));
  narrow(query, 'since', since, (a, b) => a > b);
  narrow(query, 'until', until, (a, b) => a < b);
  if (cursor !== undefined) query.set('cursor', String(cursor));
  const response = await read(`/api/messages?${query.toString()}`);
  const next = response.headers.get('X-Next-Cursor');
  return {
    messages: (await response.json()) as Message[],
    next: next === null ? undefined : Number(next),
    complete: response.headers.get('X-Search-Complete') !== 'false',
  };
}

/** Sets a time unless there is a narrower one already. */
function narrow(
  query: URLSearchParams,
  name: string,
  time: string | undefined,
  isNarrower: (a: number, b: number) => boolean,
): void {
  const known = query.get(name);
  if (time === undefined) return;
  if (known === null || isNarrower(Date.parse(time), Date.parse(known))) query.set(name, time);
}

/**
 * The messages that a filter wants, live. Another filter is another feed: key
 * the caller by it. `at` is a moment (ms since 1970) to begin at.
 */
export function useMessageFeed(
  filter: MessageFilter,
  at: number | undefined,
): { feed: MessageFeed; state: FeedState } {
  const [feed] = useState(() => makeFeed(filter));
  const [begin] = useState(at);
  useEffect(() => {
    feed.start(begin);
    const online = () => {
      feed.retryNow();
    };
    window.addEventListener('online', online);
    return () => {
      window.removeEventListener('online', online);
      feed.stop();
    };
  }, [feed, begin]);
  return { feed, state: useSyncExternalStore(feed.subscribe, feed.state) };
}
