import { useEffect, useState, useSyncExternalStore } from 'react';
import { read } from './client';
import { MessageFeed, type FeedState, type Page } from './feed';
import { filterQuery, type MessageFilter } from './filter';
import { connectMessages } from './socket';
import type { Message } from './types';

function makeFeed(filter: MessageFilter): MessageFeed {
  return new MessageFeed({
    filter,
    connect: connectMessages,
    fetchPage: (query) => fetchPage(filter, query),
    schedule: (callback) => {
      // A tab in the background is drawn no frames; it has to keep up all the same.
      if (document.hidden) setTimeout(callback, 250);
      else requestAnimationFrame(callback);
    },
  });
}

async function fetchPage(
  filter: MessageFilter,
  { cursor, limit }: { cursor?: number; limit: number },
): Promise<Page> {
  const query = filterQuery(filter);
  query.set('limit', String(limit));
  if (cursor !== undefined) query.set('cursor', String(cursor));
  const response = await read(`/api/messages?${query.toString()}`);
  const next = response.headers.get('X-Next-Cursor');
  return {
    messages: (await response.json()) as Message[],
    next: next === null ? undefined : Number(next),
  };
}

/** The messages that a filter wants, live. Another filter is another feed: key the caller by it. */
export function useMessageFeed(filter: MessageFilter): { feed: MessageFeed; state: FeedState } {
  const [feed] = useState(() => makeFeed(filter));
  useEffect(() => {
    feed.start();
    const online = () => {
      feed.retryNow();
    };
    window.addEventListener('online', online);
    return () => {
      window.removeEventListener('online', online);
      feed.stop();
    };
  }, [feed]);
  return { feed, state: useSyncExternalStore(feed.subscribe, feed.state) };
}
