import { useNavigate } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { useId, useState } from 'react';
import { Button } from '../../components/Button';
import { isNamed, workerKey } from '../../lib/workerKey';
import styles from './FindWorker.module.css';

interface FindWorkerProps {
  /** What the field is for, as its label. */
  label: string;
  /** The id of the worker that it must be; any worker without. */
  id?: string;
}

/**
 * Opens a worker by its full name. The name stays in this browser: the server
 * is asked for its SHA-256.
 */
export function FindWorker({ label, id }: FindWorkerProps) {
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [other, setOther] = useState(false);
  const hint = useId();
  const field = useId();

  const find = () => {
    const full = name.trim();
    if (full === '') return;
    if (id !== undefined && !isNamed(id, full)) {
      setOther(true);
      return;
    }
    void navigate({ to: '/workers/$id', params: { id: workerKey(full) } });
  };

  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        find();
      }}
    >
      <label htmlFor={field}>{label}</label>
      <span className={styles.line}>
        <input
          id={field}
          type="text"
          value={name}
          placeholder="bc1q….rig"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          aria-describedby={hint}
          aria-invalid={other}
          onChange={(event) => {
            setName(event.target.value);
            setOther(false);
          }}
        />
        <Button type="submit" disabled={name.trim() === ''}>
          <Search size={15} aria-hidden="true" />
          Open
        </Button>
      </span>
      <span id={hint} className={styles.hint} role={other ? 'alert' : undefined} data-bad={other}>
        {other
          ? 'That is the name of another worker. It must be the whole name as the miner sends it, with every letter as it is.'
          : 'The full name as the miner sends it. It is not sent: the server gets its SHA-256.'}
      </span>
    </form>
  );
}
