import { useMutation } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { refusalText } from '../../api/client';
import { register } from '../../api/session';
import { PasswordInput } from '../../components/PasswordInput';
import { NameField } from './NameField';
import styles from './SignInPage.module.css';
import { isTooMany, useWait } from './useWait';
import { WaitButton } from './WaitButton';

/** Makes an account of this server. */
export function RegisterForm({ onDone }: { onDone: () => Promise<void> }) {
  const id = useId();
  const [wait, refused] = useWait();
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const order = useMutation({
    mutationFn: () =>
      register({
        name: name.trim(),
        password,
        ...(email.trim() !== '' && { email: email.trim() }),
      }),
    onSuccess: onDone,
    onError: refused,
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
      <label>
        E-mail address, if you like
        <input
          name="email"
          type="email"
          value={email}
          autoComplete="email"
          onChange={(event) => {
            setEmail(event.target.value);
          }}
        />
      </label>
      <div>
        <label htmlFor={id}>Password</label>
        <PasswordInput
          id={id}
          name="new-password"
          value={password}
          autoComplete="new-password"
          required
          aria-describedby={`${id}-hint`}
          onChange={(event) => {
            setPassword(event.target.value);
          }}
        />
        <small id={`${id}-hint`}>At least ten characters; a few unrelated words are good.</small>
      </div>
      {order.isError && (
        <p className={styles.failed} role="alert">
          {isTooMany(order.error)
            ? 'Too many tries. Please wait a moment.'
            : refusalText(order.error)}
        </p>
      )}
      <WaitButton label="Make the account" busyLabel="Making it…" busy={busy} wait={wait} />
    </form>
  );
}
