import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { errorText } from '../../../api/client';
import { Button } from '../../../components/Button';
import { Facts } from '../../../components/Facts';
import { Field } from '../../../components/Field';
import { Panel } from '../../../components/Panel';
import { formatCount, formatPercent, sentence } from '../../../lib/format';
import { send } from '../../../scope/client';
import { autoReplayQuery } from '../../../scope/queries';
import type { Session, SettingsChange } from '../../../scope/types';
import styles from './SessionPage.module.css';

/** Bounds of the count, those of the API. */
const LEAST = 1;
const MOST = 900_000;

/** Load on a pool of one's own: each share is sent again, many times over. */
export function AutoReplayPanel({ session }: { session: Session }) {
  const { session_id: id, live } = session;
  const client = useQueryClient();
  const { data: state } = useQuery(autoReplayQuery(id, live));
  const [count, setCount] = useState(String(session.auto_replay_count));
  const hint = useId();
  const { mutate, isPending, error } = useMutation({
    mutationFn: (change: SettingsChange) =>
      send('PATCH', `/api/sessions/${encodeURIComponent(id)}`, change),
    onSettled: () => client.invalidateQueries({ queryKey: ['scope', 'session', id] }),
  });
  const wanted = Number(count);
  const valid = Number.isInteger(wanted) && wanted >= LEAST && wanted <= MOST;
  const on = state?.auto_replay_enabled === true;
  const p = state?.progress;

  return (
    <Panel title="Auto-replay">
      <p className={styles.note}>
        Sends each share of this miner again to the pool, as a load test. Only for a pool of your
        own.
      </p>
      <div className={styles.switches}>
        <Field label="Times each share">
          <input
            type="number"
            min={LEAST}
            max={MOST}
            value={count}
            disabled={on || !live}
            aria-invalid={!valid}
            aria-describedby={hint}
            onChange={(event) => {
              setCount(event.target.value);
            }}
          />
        </Field>
        <Button
          role="switch"
          aria-checked={on}
          tone={on ? 'danger' : 'plain'}
          disabled={isPending || !live || (!on && !valid)}
          onClick={() => {
            mutate(
              on
                ? { auto_replay_enabled: false }
                : { auto_replay_enabled: true, auto_replay_count: wanted },
            );
          }}
        >
          {isPending ? 'One moment…' : on ? 'Stop' : 'Start'}
        </Button>
        <span id={hint} className={valid ? 'visually-hidden' : styles.error}>
          A whole number from {formatCount(LEAST)} to {formatCount(MOST)}.
        </span>
      </div>
      {error && (
        <p className={styles.error} role="alert">
          {sentence(errorText(error))}
        </p>
      )}
      {p && p.total > 0 && (
        <>
          <progress
            className={styles.progress}
            aria-label="Lines sent"
            max={p.total}
            value={p.done}
          />
          <Facts
            items={[
              [
                'Sent',
                `${formatCount(p.done)} of ${formatCount(p.total)}, ${formatPercent(p.done / p.total)}`,
              ],
              ['Accepted', formatCount(p.accepted)],
              ['Rejected', formatCount(p.rejected)],
              ['No answer', formatCount(p.errors)],
              ['Shares waiting', formatCount(p.queued)],
              ['Not sent since it was stopped', formatCount(p.cancelled)],
            ]}
          />
        </>
      )}
      {p?.last_error !== undefined && <p className={styles.note}>{sentence(p.last_error)}</p>}
      {p?.stop_reason !== undefined && (
        <p className={styles.note}>Switched off: {sentence(p.stop_reason)}</p>
      )}
    </Panel>
  );
}
