import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useView } from '../api/LiveProvider';
import { workersQuery, type WorkerList } from '../api/workers';
import { censorWorker } from '../lib/censor';
import { WorkerName } from './WorkerName';
import styles from './WorkerLink.module.css';

/** From so many connections on, the list of workers is too long to fetch for a few links. */
const MANY = 500;

/** How often the ids are looked up again, ms. */
const PERIOD = 30_000;

/**
 * A worker's censored name, and a link to its page where that is known: the
 * contract's views name workers without their ids, so that these are looked up
 * in the list of workers.
 */
export function WorkerLink({ name }: { name: string }) {
  const { data: overview } = useView('overview');
  const { data: workers } = useQuery({
    ...workersQuery,
    refetchInterval: PERIOD,
    staleTime: PERIOD,
    enabled: overview !== undefined && overview.active_miners <= MANY,
  });
  const id = workers && idsOf(workers).get(name);
  if (id === undefined) return <WorkerName name={name} />;
  return (
    <Link to="/workers/$id" params={{ id }} className={styles.link}>
      <WorkerName name={name} />
    </Link>
  );
}

const known = new WeakMap<WorkerList, Map<string, string | undefined>>();

/** Ids by censored name; undefined where two workers look the same. */
function idsOf(list: WorkerList): Map<string, string | undefined> {
  const cached = known.get(list);
  if (cached) return cached;
  const ids = new Map<string, string | undefined>();
  for (const { id, name } of list.workers) {
    const shown = censorWorker(name);
    ids.set(shown, ids.has(shown) ? undefined : id);
  }
  known.set(list, ids);
  return ids;
}
