import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { sessionQuery, type Providers } from '../../api/session';
import { Empty, Failure } from '../../components/Message';
import { Skeleton } from '../../components/Skeleton';
import { safeReturnTo } from '../../lib/returnTo';
import { OtherWays } from './OtherWays';
import { PasswordForm } from './PasswordForm';
import { RegisterForm } from './RegisterForm';
import styles from './SignInPage.module.css';

/** Where people sign in, or make an account where the server lets anybody. */
export function SignInPage() {
  const search = useSearch({ from: '/sign-in' });
  const { data: session, error } = useQuery(sessionQuery);
  const returnTo = safeReturnTo(search.return_to, location.origin);
  const [registering, setRegistering] = useState(false);
  const client = useQueryClient();
  const router = useRouter();

  useEffect(() => {
    document.title = 'Sign in · poolscope';
  }, []);

  // Also whoever signed in meanwhile in another tab.
  const signedIn = session?.signed_in === true;
  useEffect(() => {
    if (signedIn) router.history.replace(returnTo);
  }, [signedIn, returnTo, router]);

  // All that was fetched was for somebody else.
  const onSignedIn = () => client.invalidateQueries();

  return (
    <div className={styles.page}>
      <section className={styles.card} aria-labelledby="sign-in-title">
        <h1 id="sign-in-title">{registering ? 'Make an account' : 'Sign in'}</h1>
        <p className={styles.lead}>
          {registering
            ? 'To save workers, be told when they stop, and prove that they are yours.'
            : 'To this poolscope. Looking at the pool’s figures needs no account.'}
        </p>
        {search.error !== undefined && !registering && (
          <p className={styles.failed} role="alert">
            {failureOf(search.error)}
          </p>
        )}
        {!session ? (
          error ? (
            <Failure error={error} />
          ) : (
            <Skeleton width="24ch" />
          )
        ) : signedIn ? (
          <p role="status">You are signed in.</p>
        ) : registering ? (
          <RegisterForm onDone={onSignedIn} />
        ) : !offersAny(session.providers) ? (
          <Empty title="Signing in is switched off">
            This poolscope has no accounts. Its operator has the access token.
          </Empty>
        ) : (
          <>
            {session.providers.local && <PasswordForm onDone={onSignedIn} />}
            <OtherWays providers={session.providers} returnTo={returnTo} />
          </>
        )}
        {session && !signedIn && session.providers.local && (
          <Foot
            open={session.providers.registration}
            registering={registering}
            onSwitch={() => {
              setRegistering(!registering);
            }}
          />
        )}
      </section>
    </div>
  );
}

function offersAny(p: Providers): boolean {
  return p.local || p.oidc.length > 0 || p.clerk !== undefined;
}

function Foot(props: { open: boolean; registering: boolean; onSwitch: () => void }) {
  const { open, registering, onSwitch } = props;
  return (
    <footer className={styles.foot}>
      {open && (
        <p>
          {registering ? 'You have an account? ' : 'No account yet? '}
          <button type="button" className={styles.link} onClick={onSwitch}>
            {registering ? 'Sign in' : 'Make one'}
          </button>
        </p>
      )}
      {!registering && (
        <details>
          <summary>Is this pool yours, and you sign in for the first time?</summary>
          <p>
            The operator’s password was shown in the terminal when poolscope first started; the name
            is <code>operator</code>. Where it scrolled away, <br />
            <code>poolscope account password operator</code> makes a new one.
          </p>
        </details>
      )}
    </footer>
  );
}

/** Why another provider's sign-in came to nothing. */
const FAILURES: Record<string, string> = {
  denied: 'It was declined there. Nothing has changed here.',
  expired: 'It took too long. Please begin again.',
  disabled: 'This account was switched off by the operator.',
  unavailable: 'The provider does not answer now. Please try again in a while.',
  not_allowed: 'People with your e-mail address may not sign in here.',
  not_confirmed: 'The provider did not ask for your password again, so nothing was confirmed.',
};

/** What the address says is nobody's text: only what is known is repeated. */
function failureOf(code: string): string {
  return Object.hasOwn(FAILURES, code)
    ? (FAILURES[code] ?? '')
    : 'Signing in did not work. Please try again.';
}
