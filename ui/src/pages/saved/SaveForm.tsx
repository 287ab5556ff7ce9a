import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Star } from 'lucide-react';
import { useId, useState } from 'react';
import { refusalText } from '../../api/client';
import {
  importWorkers,
  savedQuery,
  saveWorker,
  type Imported,
  type SavedWorkers,
} from '../../api/saved';
import { Button } from '../../components/Button';
import { Panel } from '../../components/Panel';
import { Segmented } from '../../components/Segmented';
import { formatCount, plural } from '../../lib/format';
import styles from './SavedPage.module.css';

type Way = 'name' | 'address';

const HINTS: Record<Way, string> = {
  name: 'The whole name as the miner sends it, with every letter as it is. It need not be online.',
  address:
    'Saves every worker of a payout address that the pool has in its books. For this, prove the address first: by a signature, at one of its workers.',
};

/** Saves one worker by its name, or all of an address. */
export function SaveForm({ list }: { list: SavedWorkers | undefined }) {
  const client = useQueryClient();
  const id = useId();
  const [way, setWay] = useState<Way>('name');
  const [text, setText] = useState('');
  const order = useMutation({
    mutationFn: async (wanted: string) => {
      if (way === 'address') return told(await importWorkers(wanted));
      await saveWorker(wanted);
      return 'Saved.';
    },
    onSuccess: () => {
      setText('');
      return client.invalidateQueries({ queryKey: savedQuery.queryKey });
    },
  });
  const full = list !== undefined && list.saved_count >= list.saved_max;
  return (
    <Panel
      title="Save workers"
      aside={
        <Segmented
          legend="Save by"
          options={[
            { value: 'name', label: 'By name' },
            { value: 'address', label: 'By address' },
          ]}
          value={way}
          onChange={(next: Way) => {
            setWay(next);
            order.reset();
          }}
        />
      }
    >
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          const wanted = text.trim();
          if (wanted !== '' && !order.isPending) order.mutate(wanted);
        }}
      >
        <label htmlFor={id} className="visually-hidden">
          {way === 'name' ? 'Full name of the worker' : 'Payout address'}
        </label>
        <input
          id={id}
          value={text}
          placeholder={way === 'name' ? 'bc1q….rig' : 'bc1q…'}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          disabled={full}
          aria-describedby={`${id}-hint`}
          onChange={(event) => {
            setText(event.target.value);
            if (!order.isIdle) order.reset();
          }}
        />
        <Button
          type="submit"
          tone="primary"
          disabled={full || order.isPending || text.trim() === ''}
        >
          <Star size={15} aria-hidden="true" />
          {order.isPending ? 'Saving…' : way === 'name' ? 'Save' : 'Save all'}
        </Button>
      </form>
      <p id={`${id}-hint`} className={styles.hint}>
        {full
          ? `All ${formatCount(list.saved_max)} places are taken: remove one that you no longer need.`
          : HINTS[way]}
      </p>
      <p className={styles.outcome} role="status">
        {order.data}
      </p>
      {order.isError && (
        <p className={styles.failed} role="alert">
          {refusalText(order.error)}
        </p>
      )}
    </Panel>
  );
}

/** What came of an import, as a sentence or two. */
export function told({ added, known, left_out: leftOut }: Imported): string {
  const parts: string[] = [];
  if (added.length === 0 && known === 0 && leftOut === 0) {
    return 'The pool knows no worker of this address.';
  }
  if (added.length > 0) parts.push(`${plural(added.length, 'worker')} saved.`);
  if (known > 0) parts.push(`${formatCount(known)} had been saved before.`);
  if (leftOut > 0) parts.push(`For ${formatCount(leftOut)} there was no place left.`);
  return parts.join(' ');
}
