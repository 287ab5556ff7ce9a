import { useMutation } from '@tanstack/react-query';
import { useNavigate, useRouterState } from '@tanstack/react-router';
import { KeyRound, ShieldCheck } from 'lucide-react';
import { useId, useState, type ReactNode } from 'react';
import { confirmPassword } from '../api/admin';
import { ApiError, errorText } from '../api/client';
import { answerProof, leaveForProof, type Need } from '../api/proof';
import { clerkAddress, signOut, startOIDC, useSession } from '../api/session';
import { Button } from '../components/Button';
import styles from '../components/Dialog.module.css';
import { Modal } from '../components/Modal';
import { PasswordInput } from '../components/PasswordInput';
import { formatDuration } from '../lib/format';
import { useWait } from '../pages/signin/useWait';
import { askForToken, token } from '../scope/access';

/** Asks for the password again, or to sign in. Closing it does nothing of what was asked for. */
export function ProofDialog({ need }: { need: Need }) {
  return (
    <Modal
      title={
        <>
          <ShieldCheck size={18} aria-hidden="true" />
          {need === 'confirm' ? 'Confirm that it is you' : 'Sign in first'}
        </>
      }
      onClose={() => {
        answerProof(false);
      }}
    >
      {need === 'confirm' ? <Confirm /> : <SignIn />}
    </Modal>
  );
}

function Confirm() {
  const session = useSession();
  const provider = session?.user?.provider ?? 'local';
  if (provider === 'local') return <Password name={session?.user?.name ?? ''} />;
  return <Elsewhere provider={provider} />;
}

function Password({ name }: { name: string }) {
  const [password, setPassword] = useState('');
  const id = useId();
  const [wait, refused] = useWait();
  const confirm = useMutation({
    mutationFn: confirmPassword,
    onSuccess: () => {
      answerProof(true);
    },
    onError: (error) => {
      refused(error);
      setPassword('');
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (password !== '' && wait === 0) confirm.mutate(password);
      }}
    >
      <p>
        What you are about to do needs your password once more. For some minutes you are not asked
        again.
      </p>
      {/* Password managers want to know whose password it is. */}
      <div hidden>
        <input type="text" value={name} autoComplete="username" readOnly />
      </div>
      <label htmlFor={id}>Password{name === '' ? '' : ` of ${name}`}</label>
      <PasswordInput
        id={id}
        autoComplete="current-password"
        value={password}
        onChange={(event) => {
          setPassword(event.target.value);
        }}
        // eslint-disable-next-line jsx-a11y/no-autofocus -- the dialog is about nothing else
        autoFocus
      />
      {confirm.error !== null && (
        <p className={styles.wrong} role="alert">
          {wrongText(confirm.error)}
        </p>
      )}
      <Actions>
        <Button
          type="submit"
          tone="primary"
          disabled={password === '' || confirm.isPending || wait > 0}
        >
          {wait > 0
            ? `Again in ${formatDuration(wait)}`
            : confirm.isPending
              ? 'Checking…'
              : 'Confirm'}
        </Button>
      </Actions>
    </form>
  );
}

/** Why the password was not taken, in words. */
function wrongText(error: unknown): string {
  if (!(error instanceof ApiError)) return errorText(error);
  if (error.status === 401 || error.status === 403) return 'That was not the right password.';
  if (error.status === 429) return 'Too many attempts. Wait a little before the next one.';
  return errorText(error);
}

/** For people whose password another site has: they sign in there once more. */
function Elsewhere({ provider }: { provider: string }) {
  const session = useSession();
  const href = useRouterState({ select: (s) => s.location.href });
  const named = session?.providers.oidc.find((p) => p.id === provider)?.name ?? provider;
  const start = useMutation({
    mutationFn: async () => {
      if (provider !== 'clerk') return (await startOIDC(provider, href, true)).location;
      // Clerk asks for the password only where there is no session any more.
      await signOut();
      const clerk = session?.providers.clerk;
      return clerk ? clerkAddress(clerk, href) : '/sign-in';
    },
    onSuccess: leaveForProof,
  });
  return (
    <>
      <p>
        What you are about to do needs a fresh sign-in with {named}. You come back to this page, and
        nothing has been done until you ask for it again.
      </p>
      {start.error !== null && (
        <p className={styles.wrong} role="alert">
          {errorText(start.error)}
        </p>
      )}
      <Actions>
        <Button
          tone="primary"
          disabled={start.isPending}
          onClick={() => {
            start.mutate();
          }}
        >
          Sign in with {named} again
        </Button>
      </Actions>
    </>
  );
}

function SignIn() {
  const navigate = useNavigate();
  const href = useRouterState({ select: (s) => s.location.href });
  const enterToken = async () => {
    if (await askForToken({ reason: 'operator', wrong: token() !== '' })) answerProof(true);
  };
  return (
    <>
      <p>
        This is for operators who are signed in, or have the access token: being at this machine is
        not enough for it. Nothing has been done so far.
      </p>
      <Actions>
        <Button onClick={() => void enterToken()}>
          <KeyRound size={15} aria-hidden="true" />
          Use the access token
        </Button>
        <Button
          tone="primary"
          onClick={() => {
            answerProof(false);
            void navigate({ to: '/sign-in', search: { return_to: href } });
          }}
        >
          Sign in
        </Button>
      </Actions>
    </>
  );
}

function Actions({ children }: { children: ReactNode }) {
  return (
    <div className={styles.actions}>
      <Button
        onClick={() => {
          answerProof(false);
        }}
      >
        Cancel
      </Button>
      {children}
    </div>
  );
}
