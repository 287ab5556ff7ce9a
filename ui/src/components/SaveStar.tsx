import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Star } from 'lucide-react';
import { useState } from 'react';
import { refusalText } from '../api/client';
import {
  removeWorker,
  savedQuery,
  saveWorker,
  type SavedEntry,
  type SavedWorkers,
} from '../api/saved';
import { useSession } from '../api/session';
import { isNamed, workerId } from '../lib/workerKey';
import { Button } from './Button';
import { ConfirmDialog } from './ConfirmDialog';
import styles from './SaveStar.module.css';
import { SaveDialog } from './SaveDialog';

/** Saved workers by their public ids, so that censored names are recognised too. */
const known = new WeakMap<SavedWorkers, Map<string, SavedEntry>>();

function byId(list: SavedWorkers): Map<string, SavedEntry> {
  const cached = known.get(list);
  if (cached) return cached;
  const ids = new Map<string, SavedEntry>();
  for (const w of [...list.online_workers, ...list.offline_workers]) {
    ids.set(workerId(w.name), w);
    ids.set(w.hash, w);
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
  const [asking, setAsking] = useState<'name' | 'remove'>();
  // What the list of saved workers does every few seconds, a star need not.
  const { data } = useQuery({ ...savedQuery, enabled: signedIn, refetchInterval: false });
  const entry = data && byId(data).get(id);
  const order = useMutation({
    mutationFn: async () => {
      await (entry ? removeWorker(entry.hash) : saveWorker(name));
    },
    onSettled: () => client.invalidateQueries({ queryKey: savedQuery.queryKey }),
  });
  if (!signedIn || !data) return null;
  const saved = entry !== undefined;
  const label = order.isError
    ? refusalText(order.error)
    : saved
      ? 'Saved. Remove it from my workers'
      : 'Save it among my workers';
  const press = () => {
    if (order.isPending) return;
    if (entry?.owned === true) setAsking('remove');
    else if (saved || isNamed(id, name)) order.mutate();
    else setAsking('name');
  };
  const close = () => {
    setAsking(undefined);
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
      {asking === 'name' && <SaveDialog id={id} onClose={close} />}
      {asking === 'remove' && (
        <ConfirmDialog
          title="Remove this worker from your list?"
          action="Remove"
          busy={order.isPending}
          error={order.error}
          onConfirm={() => {
            order.mutate(undefined, { onSuccess: close });
          }}
          onClose={close}
        >
          <p>That it is yours must be proven anew if you save it again.</p>
        </ConfirmDialog>
      )}
    </>
  );
}
