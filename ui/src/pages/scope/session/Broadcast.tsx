import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Radio } from 'lucide-react';
import { useId, useState } from 'react';
import { errorText } from '../../../api/client';
import { Button } from '../../../components/Button';
import { Field } from '../../../components/Field';
import { Panel } from '../../../components/Panel';
import { formatCount, plural, sentence } from '../../../lib/format';
import { send } from '../../../scope/client';
import type { Session, SettingsChange } from '../../../scope/types';
import styles from './SessionPage.module.css';

/** Bounds of the repeat count, those of the API. */
const LEAST = 1;
const MOST = 1000;

/** Changes settings of a session, and fetches anew what shows them. */
function useSettings(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: SettingsChange) =>
      send('PATCH', `/api/sessions/${encodeURIComponent(id)}`, change),
    meta: { progress: 'Changing the session' },
    onSettled: async () => {
      await Promise.all([
        client.invalidateQueries({ queryKey: ['scope', 'session', id] }),
        client.invalidateQueries({ queryKey: ['scope', 'sessions'] }),
      ]);
    },
  });
}

/** Whether a session's shares are published, in a list: a switch and how often agents submit each. */
export function BroadcastSwitch({ session }: { session: Session }) {
  const { mutate, isPending, error } = useSettings(session.session_id);
  const on = session.broadcast_enabled;
  const fault = error ? sentence(errorText(error)) : undefined;
  return (
    <span className={styles.broadcast}>
      <Button
        small
        role="switch"
        aria-checked={on}
        aria-label={`Broadcast the shares of ${session.workers?.[0] ?? session.peer}`}
        title={fault ?? `Each agent submits a share ${plural(session.repeat_count, 'time')}`}
        disabled={isPending || (!session.live && !on)}
        onClick={() => {
          mutate({ broadcast_enabled: !on });
        }}
      >
        {on ? `On × ${formatCount(session.repeat_count)}` : 'Off'}
      </Button>
      {fault !== undefined && (
        <span className="visually-hidden" role="alert">
          {fault}
        </span>
      )}
    </span>
  );
}

/** Publishes the shares of a session, for agents elsewhere to submit again. */
export function BroadcastPanel({ session }: { session: Session }) {
  const { broadcast_enabled: on, live } = session;
  const [draft, setDraft] = useState<string>();
  const hint = useId();
  const { mutate, isPending, error } = useSettings(session.session_id);
  const text = draft ?? String(session.repeat_count);
  const count = Number(text);
  const valid = text.trim() !== '' && Number.isInteger(count) && count >= LEAST && count <= MOST;
  const changed = valid && count !== session.repeat_count;
  return (
    <Panel title="Broadcast">
      <p className={styles.note}>
        Publishes each share of this miner, for agents elsewhere to submit it again: a test of a
        pool of your own from many places.
      </p>
      <form
        className={styles.switches}
        onSubmit={(event) => {
          event.preventDefault();
          if (changed) {
            mutate(
              { repeat_count: count },
              {
                onSuccess: () => {
                  setDraft(undefined);
                },
              },
            );
          }
        }}
      >
        <Field label="Times each agent submits it">
          <input
            type="number"
            min={LEAST}
            max={MOST}
            value={text}
            aria-invalid={!valid}
            aria-describedby={hint}
            onChange={(event) => {
              setDraft(event.target.value);
            }}
          />
        </Field>
        <Button type="submit" disabled={!changed || isPending}>
          Set
        </Button>
        <Button
          role="switch"
          aria-checked={on}
          disabled={isPending || (!live && !on)}
          onClick={() => {
            mutate({ broadcast_enabled: !on });
          }}
        >
          <Radio size={15} aria-hidden="true" />
          Broadcast {on ? 'on' : 'off'}
        </Button>
        <span id={hint} className={valid ? 'visually-hidden' : styles.error}>
          A whole number from {formatCount(LEAST)} to {formatCount(MOST)}.
        </span>
      </form>
      {error && (
        <p className={styles.error} role="alert">
          {sentence(errorText(error))}
        </p>
      )}
    </Panel>
  );
}
