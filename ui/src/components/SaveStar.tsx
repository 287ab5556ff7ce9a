import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Star } from 'lucide-react';
import { useState } from 'react';
import { refusalText } from '../api/client';
import { removeWorker, savedQuery, saveWorker, type SavedWorkers } from '../api/saved';
import { useSession } from '../api/session';
import { isNamed, workerId } from '../lib/workerKey';
import { Button } from './Button';
import styles from './SaveStar.module.css';
import { SaveDialog } from './SaveDialog';

/** Hashes of saved workers by their public ids, so that censored names are recognised too. */
const known = new WeakMap<SavedWorkers, Map<string, string>>();

function byId(list: SavedWorkers): Map<string, string> {
  const cached = known.get(list);
  if (cached) return cached;
  const ids = new Map<string, string>();
  for (const w of [...list.online_workers, ...list.offline_workers]) {
    ids.set(workerId(w.name), w.hash);
    ids.set(w.hash, w.hash);
  }
  known.set(list, ids);
  return ids;
}

interface SaveStarProps {
  /** The worker's public id, or the SHA-256 of its name. */
  id: string;
  /** Its name, in full or censored: where it is censored, the full one is asked for. */
  name: string;
  /** Only the star, for lists. */
  small?: boolean;
}

/** Saves a worker, or removes it from the saved ones; for whoever is signed in. */
export function SaveStar({ id, name, small = false }: SaveStarProps) {
  const signedIn = useSession()?.signed_in === true;
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  // What the list of saved workers does every few seconds, a star need not.
  const { data } = useQuery({ ...savedQuery, enabled: signedIn, refetchInterval: false });
  const hash = data && byId(data).get(id);
  const order = useMutation({
    mutationFn: async () => {
      await (hash === undefined ? saveWorker(name) : removeWorker(hash));
    },
    onSettled: () => client.invalidateQueries({ queryKey: savedQuery.queryKey }),
  });
  if (!signedIn || !data) return null;
  const saved = hash !== undefined;
  const label = order.isError
    ? refusalText(order.error)
    : saved
      ? 'Saved. Remove it from my workers'
      : 'Save it among my workers';
  const press = () => {
    if (order.isPending) return;
    if (saved || isNamed(id, name)) order.mutate();
    else setAsking(true);
  };
  const icon = <Star size={15} aria-hidden="true" fill={saved ? 'currentColor' : 'none'} />;
  return (
    <>
      {small ? (
        <button
          type="button"
          className={styles.star}
          aria-pressed={saved}
          aria-label={label}
          title={label}
          data-failed={order.isError}
          tabIndex={-1}
          onClick={press}
        >
          {icon}
        </button>
      ) : (
        <Button small aria-pressed={saved} title={label} onClick={press}>
          {icon}
          {saved ? 'Saved' : 'Save'}
        </Button>
      )}
      {!small && order.isError && (
        <span className={styles.failed} role="alert">
          {refusalText(order.error)}
        </span>
      )}
      {asking && (
        <SaveDialog
          id={id}
          onClose={() => {
            setAsking(false);
          }}
        />
      )}
    </>
  );
}
