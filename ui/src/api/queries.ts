import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { fetchJSON } from './client';
import type { History, HistoryRange, LiveTopics } from './types';

/** How many found blocks the pages ask for; the contract allows 100. */
export const MOST_BLOCKS = 100;

const paths: Record<keyof LiveTopics, string> = {
  overview: '/api/overview',
  hashrate: '/api/pool-hashrate',
  blocks: `/api/blocks?limit=${MOST_BLOCKS}`,
  status: '/api/status',
};

/** Refresh periods of the contract, for when there is no live connection (ms). */
const periods: Record<keyof LiveTopics, number> = {
  overview: 10_000,
  hashrate: 5_000,
  blocks: 3_000,
  status: 5_000,
};

/** A view that the live connection keeps fresh; polled while there is none. */
export function viewQuery<T extends keyof LiveTopics>(topic: T, live: boolean) {
  return queryOptions({
    queryKey: [topic],
    queryFn: ({ signal }) => fetchJSON<LiveTopics[T]>(paths[topic], signal),
    refetchInterval: live ? liveInterval(topic) : periods[topic],
  });
}

/** The live feed brings everything but the older blocks, whose depth grows. */
function liveInterval(topic: keyof LiveTopics): number | false {
  return topic === 'blocks' ? 30_000 : false;
}

/** How often each range gets a new point, milliseconds. */
const steps: Record<HistoryRange, number> = { '6m': 5_000, '24h': 60_000, '30d': 600_000 };

export function historyQuery(range: HistoryRange) {
  return queryOptions({
    queryKey: ['history', range],
    queryFn: ({ signal }) => fetchJSON<History>(`/api/history?range=${range}`, signal),
    refetchInterval: steps[range],
    placeholderData: keepPreviousData,
  });
}
