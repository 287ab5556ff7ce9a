import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { readAdmin } from '../../../api/admin';
import { isRefused } from '../../../api/client';

/** Something that a person did. */
export interface Action {
  id: number | string;
  at: string;
  /** Name at that time; `this machine` or `token` for an operator without an account. */
  user: string;
  /** IP address that it came from. */
  address: string;
  /** noun.verb, such as `ban.add`. */
  name: string;
  /** Whom or what it was done to. */
  target: string;
  detail: string;
  /** It was tried, and refused or in vain. */
  failed: boolean;
}

interface ActionPage {
  actions: Action[];
  /** `before` of the request for older ones; left out when there are none. */
  next?: number | string;
}

/** Actions of one request. */
const LIMIT = 100;

/** How often new ones are asked for while somebody looks, ms. */
const PERIOD = 5_000;

/** What was done last, asked for again and again. */
export function newestQuery(text: string) {
  return queryOptions({
    queryKey: ['admin', 'audit', 'newest', text],
    queryFn: ({ signal }) => readAdmin<ActionPage>(address('', text), signal),
    refetchInterval: (query) => (isRefused(query.state.error) ? false : PERIOD),
    gcTime: 0,
  });
}

/** How many actions came after those that are shown. */
export function countNewer(
  newest: readonly Action[] | undefined,
  shown: readonly Action[] | undefined,
): number {
  if (!newest || !shown) return 0;
  const last = Number(shown[0]?.id ?? 0);
  return newest.filter((action) => Number(action.id) > last).length;
}

function address(before: string, text: string): string {
  const query = new URLSearchParams({ limit: String(LIMIT) });
  if (before !== '') query.set('before', before);
  if (text !== '') query.set('q', text);
  return `/api/admin/audit?${query.toString()}`;
}

/** What was done, the newest first. */
export function auditQuery(text: string) {
  return infiniteQueryOptions({
    queryKey: ['admin', 'audit', 'trail', text],
    queryFn: ({ pageParam, signal }) => readAdmin<ActionPage>(address(pageParam, text), signal),
    initialPageParam: '',
    getNextPageParam: (last) => (last.next === undefined ? undefined : String(last.next)),
    placeholderData: keepPreviousData,
    refetchOnMount: 'always',
  });
}
