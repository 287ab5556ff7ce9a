import { useMutation } from '@tanstack/react-query';
import { LogIn } from 'lucide-react';
import { refusalText } from '../../api/client';
import { clerkAddress, startOIDC, type Providers } from '../../api/session';
import { Button } from '../../components/Button';
import { webAddress } from '../../lib/returnTo';
import styles from './SignInPage.module.css';

/** Signing in with an account that one has elsewhere. */
export function OtherWays({ providers, returnTo }: { providers: Providers; returnTo: string }) {
  const start = useMutation({
    mutationFn: async (id: string) => {
      leave((await startOIDC(id, returnTo)).location);
    },
  });
  const { clerk, oidc } = providers;
  if (oidc.length === 0 && !clerk) return null;
  const busy = start.isPending || start.isSuccess;
  return (
    <>
      {providers.local && <p className={styles.or}>or</p>}
      <div className={styles.ways}>
        {oidc.map(({ id, name }) => (
          <Button
            key={id}
            disabled={busy}
            onClick={() => {
              start.mutate(id);
            }}
          >
            <LogIn size={16} aria-hidden="true" />
            Continue with {name}
          </Button>
        ))}
        {clerk && (
          <Button
            disabled={busy}
            onClick={() => {
              leave(clerkAddress(clerk, returnTo));
            }}
          >
            <LogIn size={16} aria-hidden="true" />
            Continue with Clerk
          </Button>
        )}
        {start.isError && (
          <p className={styles.failed} role="alert">
            {refusalText(start.error)}
          </p>
        )}
      </div>
    </>
  );
}

/** Goes to a provider. Only web addresses: an address may be a script as well. */
function leave(address: string): void {
  const target = webAddress(address);
  if (target === undefined) throw new Error('The server named no web address to go to.');
  location.assign(target);
}
