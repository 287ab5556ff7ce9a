import { queryOptions } from '@tanstack/react-query';
import { operate, readAdmin } from '../../../api/admin';
import { isRefused } from '../../../api/client';
import { merge, MOST_LINES, type Level, type LogPage, type Tail } from './tail';

/** How often new lines are asked for while somebody looks, ms. */
const PERIOD = 2_000;

const key = ['admin', 'logs'] as const;

/** The newest lines; each request brings what was added since the one before. */
export const logsQuery = queryOptions({
  queryKey: key,
  queryFn: async ({ client, signal }): Promise<Tail> => {
    const before = client.getQueryData<Tail>(key);
    const after = before?.next ?? 0;
    const page = await readAdmin<LogPage>(
      `/api/admin/logs?after=${after}&limit=${MOST_LINES}`,
      signal,
    );
    return merge(before, page);
  },
  refetchInterval: (query) => (isRefused(query.state.error) ? false : PERIOD),
  // Lines never change; comparing thousands of them each time is for nothing.
  structuralSharing: false,
});

/** Puts another level in force for some minutes; 0 brings the configured one back. */
export function setLevel(order: { level: Level; minutes: number }): Promise<unknown> {
  return operate('PUT', '/api/admin/logs/level', order);
}
