import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { LiveState } from '../api/live';
import { AgentFeed, takeFrame } from './agentFeed';
import { agentsQuery } from './queries';
import { connectAgents } from './socket';
import type { Agent } from './types';

/** How often the agents are fetched while the live connection is away, ms. */
const FALLBACK = 5_000;

interface Agents {
  /** Undefined while loading. */
  agents: readonly Agent[] | undefined;
  error: Error | null;
  live: LiveState;
  retryNow: () => void;
}

/** The fleet's agents: live, and fetched every few seconds while that does not work. */
export function useAgents(): Agents {
  const client = useQueryClient();
  const [feed] = useState(
    () =>
      new AgentFeed({
        connect: connectAgents,
        onFrame: (frame) => {
          client.setQueryData(agentsQuery.queryKey, (agents) => {
            const changed = takeFrame(agents, frame);
            return changed && [...changed];
          });
        },
      }),
  );
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
  const live = useSyncExternalStore(feed.subscribe, feed.state);
  const { data, error } = useQuery({
    ...agentsQuery,
    refetchInterval: live.phase === 'live' ? false : FALLBACK,
  });
  return {
    agents: data,
    error,
    live,
    retryNow: () => {
      feed.retryNow();
    },
  };
}
