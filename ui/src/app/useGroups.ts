import { useView } from '../api/LiveProvider';
import { useSession } from '../api/session';
import { hasPool } from '../lib/pool';
import { ADMIN_AREAS, PEOPLE_AREAS, POOL_AREAS, SCOPE_AREAS, type AreaGroup } from './navigation';

/** The groups of pages that this program has for whoever looks at it. */
export interface Groups {
  /** What is about mining, in the row of the header. */
  main: readonly AreaGroup[];
  /** What is somebody's own, and the operator's, in the account's menu. */
  own: readonly AreaGroup[];
  /** Both, where there is room for all. */
  all: readonly AreaGroup[];
}

export function useGroups(): Groups {
  const { data: status } = useView('status');
  const pool = !status || hasPool(status);
  const main = pool ? [POOL_AREAS, SCOPE_AREAS] : [SCOPE_AREAS];
  const session = useSession();
  const own = [
    ...(pool ? [PEOPLE_AREAS] : []),
    ...(session?.operator === true ? [ADMIN_AREAS] : []),
  ];
  return { main, own, all: [...main, ...own] };
}
