import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { bansQuery } from '../../../api/bans';
import { ApiError } from '../../../api/client';
import { FormDialog } from '../../../components/FormDialog';
import { PlainText } from '../../../components/PlainText';
import { useNow } from '../../../lib/clock';
import { formatDuration, plural } from '../../../lib/format';
import { DURATIONS } from '../../bans/durations';
import { banMiner, minersQuery, type Miner } from './api';
import { blockOf } from './block';
import { localMinute, secondsUntil, type Length } from './duration';
import styles from './MinersPage.module.css';

interface BanDialogProps {
  miner: Miner;
  /** All live connections, to tell how many it closes. */
  miners: readonly Miner[];
  onDone: (words: string) => void;
  onClose: () => void;
}

/** Why one is asked again: the server's own words are for programs. */
const isPrivate = (block: string) =>
  `${block} is an address of this machine or of a private network: all of your own miners may come from there, or a proxy. To be rid of one miner, disconnect it instead.`;

/** Bans the address that a miner comes from. */
export function BanDialog({ miner, miners, onDone, onClose }: BanDialogProps) {
  const client = useQueryClient();
  const now = useNow();
  const id = useId();
  const [length, setLength] = useState<Length>(3600);
  const [end, setEnd] = useState(() => localMinute(now + 24 * 3_600_000));
  const [reason, setReason] = useState('');
  const block = blockOf(miner.remote);
  const others = miners.filter((m) => blockOf(m.remote) === block).length;
  const seconds = length === 'until' ? secondsUntil(end, now) : length;
  // A private address is banned only when that is meant: by asking again.
  const [refused, setRefused] = useState(false);
  const order = useMutation({
    mutationFn: (duration: number) =>
      banMiner(miner.id, {
        duration_sec: duration,
        reason: reason.trim(),
        ...(refused && { private: true }),
      }),
    onError: (error) => {
      setRefused(error instanceof ApiError && error.status === 409);
    },
    onSuccess: async () => {
      onDone(`${block} is banned.`);
      await Promise.all([
        client.invalidateQueries({ queryKey: minersQuery.queryKey }),
        client.invalidateQueries({ queryKey: bansQuery.queryKey }),
      ]);
    },
  });
  return (
    <FormDialog
      title={`Ban ${block}?`}
      action={order.isPending ? 'Banning…' : refused ? 'Ban it nevertheless' : 'Ban'}
      tone="danger"
      busy={order.isPending}
      ready={seconds !== undefined}
      error={refused ? new Error(isPrivate(block)) : order.error}
      onSubmit={() => {
        if (seconds !== undefined) order.mutate(seconds);
      }}
      onClose={onClose}
    >
      <p className={styles.words}>
        {miner.worker === '' ? 'A miner that has not signed in' : <PlainText text={miner.worker} />}{' '}
        connects from <code>{miner.remote}</code>.{' '}
        {block.endsWith('/64') && 'An IPv6 address stands for the whole /64 it is in. '}
        {others > 1
          ? `All ${plural(others, 'connection')} from there are closed at once.`
          : 'This connection is closed at once, and it is the only one from there.'}
      </p>
      <label>
        How long
        <select
          value={length}
          onChange={(event) => {
            const { value } = event.target;
            setLength(value === 'until' ? value : Number(value));
          }}
        >
          {DURATIONS.map((s) => (
            <option key={s} value={s}>
              {s === 0 ? 'until it is lifted' : formatDuration(s)}
            </option>
          ))}
          <option value="until">until a time…</option>
        </select>
      </label>
      {length === 'until' && (
        <label>
          Ends at
          <input
            type="datetime-local"
            value={end}
            aria-describedby={`${id}-end`}
            aria-invalid={seconds === undefined}
            onChange={(event) => {
              setEnd(event.target.value);
            }}
          />
          <span id={`${id}-end`} className={styles.under}>
            {seconds === undefined
              ? 'That is not in the future.'
              : `In ${formatDuration(seconds)}, your local time.`}
          </span>
        </label>
      )}
      <label>
        Reason
        <input
          value={reason}
          placeholder="optional, shown to everybody"
          autoComplete="off"
          maxLength={80}
          onChange={(event) => {
            setReason(event.target.value);
          }}
        />
      </label>
    </FormDialog>
  );
}
