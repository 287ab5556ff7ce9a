import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { sessionsQuery, changePassword } from '../../api/account';
import { ApiError, refusalText } from '../../api/client';
import { Panel } from '../../components/Panel';
import { PasswordInput } from '../../components/PasswordInput';
import { isTooMany, useWait } from '../signin/useWait';
import { WaitButton } from '../signin/WaitButton';
import styles from './AccountPage.module.css';

/** Changes the password of an account of this server. */
export function PasswordPanel({ name }: { name: string }) {
  const client = useQueryClient();
  const id = useId();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [wait, refused] = useWait();
  const order = useMutation({
    mutationFn: () => changePassword(current, next),
    onSuccess: () => {
      setCurrent('');
      setNext('');
      return client.invalidateQueries({ queryKey: sessionsQuery.queryKey });
    },
    onError: refused,
  });
  return (
    <Panel title="Password">
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (!order.isPending && wait === 0) order.mutate();
        }}
      >
        {/* So that a password manager knows whose password it is. */}
        <input
          className="visually-hidden"
          name="username"
          autoComplete="username"
          value={name}
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <div>
          <label htmlFor={`${id}-current`}>Current password</label>
          <PasswordInput
            id={`${id}-current`}
            autoComplete="current-password"
            required
            value={current}
            onChange={(event) => {
              setCurrent(event.target.value);
              if (!order.isIdle) order.reset();
            }}
          />
        </div>
        <div>
          <label htmlFor={`${id}-next`}>New password</label>
          <PasswordInput
            id={`${id}-next`}
            autoComplete="new-password"
            required
            aria-describedby={`${id}-hint`}
            value={next}
            onChange={(event) => {
              setNext(event.target.value);
              if (!order.isIdle) order.reset();
            }}
          />
        </div>
        <p id={`${id}-hint`} className={styles.hint}>
          At least ten characters. You are signed out everywhere else.
        </p>
        {order.isError && (
          <p className={styles.failed} role="alert">
            {isTooMany(order.error)
              ? 'Too many tries. Please wait a moment.'
              : order.error instanceof ApiError && order.error.status === 401
                ? 'The current password is not right.'
                : refusalText(order.error)}
          </p>
        )}
        <p className={styles.outcome} role="status">
          {order.isSuccess && 'The password was changed.'}
        </p>
        <WaitButton
          label="Change the password"
          busyLabel="Changing…"
          busy={order.isPending}
          wait={wait}
          disabled={current === '' || next === ''}
        />
      </form>
    </Panel>
  );
}
