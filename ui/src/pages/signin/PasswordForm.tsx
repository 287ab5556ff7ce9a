import { useMutation } from '@tanstack/react-query';
import { useId, useRef, useState } from 'react';
import { ApiError, refusalText } from '../../api/client';
import { signIn } from '../../api/session';
import { PasswordInput } from '../../components/PasswordInput';
import { sentence } from '../../lib/format';
import { NameField } from './NameField';
import styles from './SignInPage.module.css';
import { isTooMany, useWait } from './useWait';
import { WaitButton } from './WaitButton';

/** Name and password of an account of this server. */
export function PasswordForm({ onDone }: { onDone: () => Promise<void> }) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const id = useId();
  const [wait, refused] = useWait();
  const field = useRef<HTMLInputElement>(null);
  const order = useMutation({
    mutationFn: () => signIn(name.trim(), password),
    onSuccess: onDone,
    onError: (error) => {
      refused(error);
      // What was wrong is most often the password.
      field.current?.focus();
      field.current?.select();
    },
  });
  const busy = order.isPending || order.isSuccess;

  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy && wait === 0) order.mutate();
      }}
    >
      <NameField value={name} onChange={setName} />
      <div>
        <label htmlFor={id}>Password</label>
        <PasswordInput
          id={id}
          ref={field}
          name="password"
          value={password}
          autoComplete="current-password"
          required
          onChange={(event) => {
            setPassword(event.target.value);
          }}
        />
      </div>
      {order.isError && (
        <p className={styles.failed} role="alert">
          {isTooMany(order.error)
            ? wait > 0
              ? 'Too many tries. Please wait a moment.'
              : 'You may try again now.'
            : order.error instanceof ApiError && order.error.status === 401
              ? sentence(order.error.message)
              : refusalText(order.error)}
        </p>
      )}
      <WaitButton label="Sign in" busyLabel="Signing in…" busy={busy} wait={wait} />
    </form>
  );
}
