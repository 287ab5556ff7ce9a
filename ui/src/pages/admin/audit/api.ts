import { infiniteQueryOptions, keepPreviousData } from '@tanstack/react-query';
import { readAdmin } from '../../../api/admin';

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

/** What was done, the newest first. */
export function auditQuery(text: string) {
  return infiniteQueryOptions({
    queryKey: ['admin', 'audit', text],
    queryFn: ({ pageParam, signal }) => {
      const query = new URLSearchParams({ limit: String(LIMIT) });
      if (pageParam !== '') query.set('before', pageParam);
      if (text !== '') query.set('q', text);
      return readAdmin<ActionPage>(`/api/admin/audit?${query.toString()}`, signal);
    },
    initialPageParam: '',
    getNextPageParam: (last) => (last.next === undefined ? undefined : String(last.next)),
    placeholderData: keepPreviousData,
    refetchOnMount: 'always',
  });
}
