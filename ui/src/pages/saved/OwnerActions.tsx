import { useMutation, useQueryClient } from '@tanstack/react-query';
import { RotateCcw } from 'lucide-react';
import { useId, useState } from 'react';
import { refusalText } from '../../api/client';
import { giveUpWorker, restartWorker, savedQuery, setDifficulty } from '../../api/saved';
import { Button } from '../../components/Button';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { formatDifficulty, plural } from '../../lib/format';
import type { SavedWorker } from './group';
import { Wire } from './Wire';
import styles from './WorkerDialog.module.css';

/** What the owner of a worker may do with it. */
export function OwnerActions({ worker: w }: { worker: SavedWorker }) {
  const [wire, setWire] = useState(false);
  return (
    <>
      <section>
        <h3>Yours to steer</h3>
        <Difficulty worker={w} />
        <div className={styles.actions} data-start="true">
          <Restart worker={w} />
          <Button
            aria-expanded={wire}
            onClick={() => {
              setWire(!wire);
            }}
          >
            {wire ? 'Hide its wire' : 'Show its wire'}
          </Button>
          <GiveUp worker={w} />
        </div>
      </section>
      {wire && <Wire hash={w.hash} />}
    </>
  );
}

function Difficulty({ worker: w }: { worker: SavedWorker }) {
  const client = useQueryClient();
  const id = useId();
  const [text, setText] = useState('');
  const order = useMutation({
    mutationFn: (difficulty: number | null) => setDifficulty(w.hash, difficulty),
    onSuccess: () => client.invalidateQueries({ queryKey: savedQuery.queryKey }),
  });
  const wanted = Number(text);
  const valid = text.trim() !== '' && Number.isFinite(wanted) && wanted > 0;
  return (
    <form
      className={styles.difficulty}
      onSubmit={(event) => {
        event.preventDefault();
        if (valid && !order.isPending) order.mutate(wanted);
      }}
    >
      <label htmlFor={id}>
        Difficulty{' '}
        <span>
          {w.difficulty > 0 && `now ${formatDifficulty(w.difficulty)}, `}
          {w.ordered === undefined
            ? 'chosen by the pool'
            : `ordered: ${formatDifficulty(w.ordered)}`}
        </span>
      </label>
      <input
        id={id}
        inputMode="decimal"
        autoComplete="off"
        placeholder="512"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          if (!order.isIdle) order.reset();
        }}
      />
      <Button type="submit" disabled={!valid || order.isPending}>
        Set
      </Button>
      <Button
        disabled={order.isPending}
        onClick={() => {
          setText('');
          order.mutate(null);
        }}
      >
        Automatic
      </Button>
      <p className={styles.outcome} role="status">
        {order.isSuccess &&
          (order.variables === null
            ? 'The pool chooses its difficulty again.'
            : `Its difficulty is ${formatDifficulty(order.variables)} from the next job on, within the pool’s limits.`)}
      </p>
      {order.isError && (
        <p className={styles.failed} role="alert">
          {refusalText(order.error)}
        </p>
      )}
    </form>
  );
}

function Restart({ worker: w }: { worker: SavedWorker }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const order = useMutation({
    mutationFn: () => restartWorker(w.hash),
    onSuccess: () => {
      setAsking(false);
      return client.invalidateQueries({ queryKey: savedQuery.queryKey });
    },
  });
  return (
    <>
      <Button
        disabled={!w.online}
        onClick={() => {
          order.reset();
          setAsking(true);
        }}
      >
        <RotateCcw size={15} aria-hidden="true" />
        Restart its connection
      </Button>
      <p className={styles.outcome} role="status">
        {order.isSuccess &&
          `${plural(order.data.connections, 'connection')} closed. The miner comes back by itself.`}
      </p>
      {asking && (
        <ConfirmDialog
          title="Restart its connection?"
          action="Restart"
          busy={order.isPending}
          error={order.error}
          onConfirm={() => {
            order.mutate();
          }}
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>
            The pool closes {plural(w.connections.length, 'connection')} of this worker. The miner
            connects again by itself, most within seconds, and gets its work anew. The device itself
            is not restarted.
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}

function GiveUp({ worker: w }: { worker: SavedWorker }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const order = useMutation({
    mutationFn: () => giveUpWorker(w.hash),
    onSuccess: () => {
      setAsking(false);
      return client.invalidateQueries({ queryKey: savedQuery.queryKey });
    },
  });
  return (
    <>
      <Button
        onClick={() => {
          order.reset();
          setAsking(true);
        }}
      >
        Not mine any more
      </Button>
      {asking && (
        <ConfirmDialog
          title="Give this worker up?"
          action="Give it up"
          busy={order.isPending}
          error={order.error}
          onConfirm={() => {
            order.mutate();
          }}
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>It stays in your list. To steer it again you would have to prove it anew.</p>
        </ConfirmDialog>
      )}
    </>
  );
}
