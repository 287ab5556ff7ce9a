import { useState } from 'react';
import { Button } from '../../../components/Button';
import { Field } from '../../../components/Field';
import { formatUTC } from '../../../lib/format';
import styles from './Browser.module.css';

/** Asks for a moment, in local time as everywhere, and goes there. */
export function JumpTo({ onJump }: { onJump: (moment: number) => void }) {
  const [value, setValue] = useState('');
  const moment = new Date(value).getTime();
  const valid = !Number.isNaN(moment);
  return (
    <form
      className={styles.jump}
      onSubmit={(event) => {
        event.preventDefault();
        if (valid) onJump(moment);
      }}
    >
      <Field label="Jump to" hidden>
        <input
          type="datetime-local"
          step={1}
          aria-label="Time to jump to: the first message at or after it"
          title={valid ? formatUTC(moment) : 'Your local time'}
          value={value}
          onChange={(event) => {
            setValue(event.target.value);
          }}
        />
      </Field>
      <Button small type="submit" disabled={!valid}>
        Jump
      </Button>
    </form>
  );
}
