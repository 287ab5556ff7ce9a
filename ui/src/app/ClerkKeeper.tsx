import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { sessionQuery, useSession } from '../api/session';

/**
 * Keeps who signed in with Clerk signed in: its sessions' tokens live for a
 * minute. A page of this server, in a frame that nobody sees, renews the cookie;
 * this page's own policy would not let Clerk's script in.
 */
export function ClerkKeeper() {
  const session = useSession();
  const client = useQueryClient();
  const url = session?.providers.clerk?.keep_url;
  const signedIn = session?.signed_in === true;
  const [kept, setKept] = useState(false);
  // The frame stays where the cookie was over for a while, as after a night's sleep.
  if (!kept && url !== undefined && session?.user?.provider === 'clerk') setKept(true);

  useEffect(() => {
    if (!kept) return;
    const onMessage = (event: MessageEvent) => {
      const state = event.origin === location.origin ? stateOf(event.data) : undefined;
      if (state !== 'signed-out' && (state !== 'signed-in' || signedIn)) return;
      void client.invalidateQueries({ queryKey: sessionQuery.queryKey }).then(() => {
        // Only now is it known that nobody is to be kept any more.
        if (state === 'signed-out') setKept(false);
      });
    };
    window.addEventListener('message', onMessage);
    return () => {
      window.removeEventListener('message', onMessage);
    };
  }, [kept, signedIn, client]);

  if (!kept) return null;
  return <iframe src={url} title="Staying signed in with Clerk" hidden tabIndex={-1} />;
}

/** What the page in the frame says of the session; see internal/api/authapi/clerkpage. */
function stateOf(data: unknown): unknown {
  return typeof data === 'object' &&
    data !== null &&
    'type' in data &&
    data.type === 'poolscope-clerk' &&
    'state' in data
    ? data.state
    : undefined;
}
