import { skipToken, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { createContext, use, useEffect, useMemo, useState, type ReactNode } from 'react';
import { mergeBlocks } from '../lib/blocks';
import { syncClock } from '../lib/clock';
import { parseTime } from '../lib/format';
import { connectBrowser, LiveConnection, type LiveState } from './live';
import { MOST_BLOCKS, viewQuery } from './queries';
import type { FoundBlock, LiveMessage, LiveTopics, PoolHashrate } from './types';

interface Live extends LiveState {
  retryNow: () => void;
}

const initial: LiveState = { phase: 'connecting', attempts: 0, retryAt: undefined };
const LiveContext = createContext<Live>({ ...initial, retryNow: () => undefined });

/** Keeps the query cache in step with the server while the page is open. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [state, setState] = useState(initial);
  const [connection, setConnection] = useState<LiveConnection>();

  useEffect(() => {
    const live = new LiveConnection(
      { connect: connectBrowser },
      {
        onMessage: (message) => {
          store(client, message);
        },
        onGap: () => void client.invalidateQueries(),
        onState: (next) => {
          setConnection(live);
          setState(next);
        },
      },
    );
    live.start();
    const online = () => {
      live.retryNow();
    };
    window.addEventListener('online', online);
    return () => {
      window.removeEventListener('online', online);
      live.stop();
    };
  }, [client]);

  const value = useMemo(
    () => ({ ...state, retryNow: () => connection?.retryNow() }),
    [state, connection],
  );
  return <LiveContext value={value}>{children}</LiveContext>;
}

/** Puts a message where the queries find it. */
function store(client: QueryClient, message: LiveMessage): void {
  if (message.topic === 'snapshot') {
    const { overview, hashrate, blocks, status } = message.data;
    client.setQueryData(['overview'], overview);
    client.setQueryData(['hashrate'], hashrate);
    client.setQueryData(NEWEST, blocks);
    client.setQueryData(['status'], status);
    sync(hashrate);
  } else {
    client.setQueryData(message.topic === 'blocks' ? NEWEST : [message.topic], message.data);
    if (message.topic === 'hashrate') sync(message.data);
  }
}

/** The live feed brings only the newest blocks; they have a place of their own. */
const NEWEST = ['blocks', 'newest'];

function sync(view: PoolHashrate): void {
  const time = parseTime(view.updated_at);
  if (time !== undefined) syncClock(time);
}

export function useLive(): Live {
  return use(LiveContext);
}

/** A live view by its topic. Blocks have a hook of their own. */
export function useView<T extends Exclude<keyof LiveTopics, 'blocks'>>(topic: T) {
  const { phase } = useLive();
  return useQuery(viewQuery(topic, phase === 'live'));
}

/** Age that a fetched list of blocks may have: the server keeps it that long (ms). */
const CACHED = 3_000;

/** The found blocks: the long list that is fetched, and on top of it the newest, live. */
export function useBlocks(): { data: FoundBlock[] | undefined; error: Error | null } {
  const { phase } = useLive();
  const fetched = useQuery(viewQuery('blocks', phase === 'live'));
  const newest = useQuery<FoundBlock[]>({ queryKey: NEWEST, queryFn: skipToken });
  const liveIsFresher = newest.dataUpdatedAt >= fetched.dataUpdatedAt - CACHED;
  const data = useMemo(() => {
    if (!fetched.data || !newest.data) return fetched.data ?? newest.data;
    const all = liveIsFresher
      ? mergeBlocks(newest.data, fetched.data)
      : mergeBlocks(fetched.data, newest.data);
    return all.slice(0, MOST_BLOCKS);
  }, [fetched.data, newest.data, liveIsFresher]);
  return { data, error: fetched.error };
}
