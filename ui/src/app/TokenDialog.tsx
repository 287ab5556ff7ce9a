import { Link, useRouterState } from '@tanstack/react-router';
import { KeyRound } from 'lucide-react';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useSession } from '../api/session';
import { Button } from '../components/Button';
import { answerToken, question, subscribeToAccess, type Question } from '../scope/access';
import styles from '../components/Dialog.module.css';

const REASONS: Record<Question['reason'], string> = {
  send: 'Whatever sends or changes something is for operators, or for whoever has the access token of this poolscope.',
  read: 'From another machine, even looking is for operators, or for whoever has the access token of this poolscope.',
  operator:
    'Names in full, what each worker is paid, and bans are for operators, or for whoever has the access token.',
};

/** Asks for the access token, whenever something needs it. */
export function TokenDialog() {
  const asked = useSyncExternalStore(subscribeToAccess, question);
  const dialog = useRef<HTMLDialogElement>(null);
  const [value, setValue] = useState('');

  useEffect(() => {
    if (asked) dialog.current?.showModal();
    else dialog.current?.close();
  }, [asked]);

  const close = () => {
    setValue('');
    answerToken(undefined);
  };

  return (
    <dialog
      ref={dialog}
      className={styles.dialog}
      aria-labelledby="token-title"
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
      {asked && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (value.trim() === '') return;
            setValue('');
            answerToken(value);
          }}
        >
          <h2 id="token-title">
            <KeyRound size={18} aria-hidden="true" />
            Access token
          </h2>
          <p>{REASONS[asked.reason]}</p>
          {asked.wrong && (
            <p className={styles.wrong} role="alert">
              That was not the right one.
            </p>
          )}
          <label>
            Token
            <input
              type="password"
              autoComplete="off"
              spellCheck={false}
              value={value}
              onChange={(event) => {
                setValue(event.target.value);
              }}
              // eslint-disable-next-line jsx-a11y/no-autofocus -- the dialog is about nothing else
              autoFocus
            />
          </label>
          <p className={styles.hint}>
            It is <code>token</code> under <code>[http]</code> in the configuration. Where that is
            not set, it was shown once when the program first started, and is kept in the file{' '}
            <code>scope-token</code> of its data folder. This page keeps it until the tab is closed.
          </p>
          <SignIn onLeave={close} />
          <div className={styles.actions}>
            <Button onClick={close}>Cancel</Button>
            <Button type="submit" tone="primary" disabled={value.trim() === ''}>
              Use it
            </Button>
          </div>
        </form>
      )}
    </dialog>
  );
}

/** The other way in, where the server has accounts: then nothing needs to be copied. */
function SignIn({ onLeave }: { onLeave: () => void }) {
  const session = useSession();
  const href = useRouterState({ select: (s) => s.location.href });
  if (!session) return null;
  if (session.user) {
    return (
      <p className={styles.hint}>
        You are signed in as <bdi>{session.user.name}</bdi>, who is no operator.
      </p>
    );
  }
  return (
    <p className={styles.hint}>
      Or{' '}
      <Link to="/sign-in" search={{ return_to: href }} onClick={onLeave}>
        sign in as an operator
      </Link>
      .
    </p>
  );
}
