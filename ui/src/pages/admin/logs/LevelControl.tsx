import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from '../../../components/Button';
import { FormDialog } from '../../../components/FormDialog';
import { Pill } from '../../../components/Pill';
import { Time } from '../../../components/Time';
import { formatDuration } from '../../../lib/format';
import { logsQuery, setLevel } from './api';
import { LEVELS, type Level, type Tail } from './tail';

/** How long another level may be in force, minutes. */
const MINUTES = [5, 15, 60, 240];

/** Which lines the program writes, and more or fewer of them for a while. */
export function LevelControl({ tail }: { tail: Tail }) {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [level, setChosen] = useState<Level>('debug');
  const [minutes, setMinutes] = useState(15);
  const order = useMutation({
    mutationFn: setLevel,
    onSuccess: () => {
      setOpen(false);
      return client.invalidateQueries({ queryKey: logsQuery.queryKey });
    },
  });
  return (
    <>
      {tail.level_until === undefined ? (
        <span>
          Level <Pill>{tail.level}</Pill>
        </span>
      ) : (
        <>
          <span>
            Level <Pill tone="warn">{tail.level}</Pill> until <Time at={tail.level_until} />
          </span>
          <Button
            small
            disabled={order.isPending}
            onClick={() => {
              order.mutate({ level: tail.configured_level, minutes: 0 });
            }}
          >
            Back to {tail.configured_level}
          </Button>
        </>
      )}
      <Button
        small
        onClick={() => {
          order.reset();
          setOpen(true);
        }}
      >
        Change for a while
      </Button>
      {open && (
        <FormDialog
          title="Another level for a while"
          action={order.isPending ? 'Changing…' : 'Change'}
          busy={order.isPending}
          error={order.error}
          onSubmit={() => {
            order.mutate({ level, minutes });
          }}
          onClose={() => {
            setOpen(false);
          }}
        >
          <p>
            The settings stay as they are: afterwards, and after a restart, it is{' '}
            {tail.configured_level} again.
          </p>
          <label>
            Least important lines
            <select
              value={level}
              onChange={(event) => {
                setChosen(LEVELS.find((l) => l === event.target.value) ?? 'debug');
              }}
            >
              {LEVELS.map((l) => (
                <option key={l}>{l}</option>
              ))}
            </select>
          </label>
          <label>
            For
            <select
              value={minutes}
              onChange={(event) => {
                setMinutes(Number(event.target.value));
              }}
            >
              {MINUTES.map((m) => (
                <option key={m} value={m}>
                  {formatDuration(m * 60)}
                </option>
              ))}
            </select>
          </label>
        </FormDialog>
      )}
    </>
  );
}
