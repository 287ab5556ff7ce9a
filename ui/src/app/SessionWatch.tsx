import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { isSessionQuery, useSession, type Session } from '../api/session';

/**
 * Notices that this tab's person, or what they may do, is another one than before:
 * signed out or given another role, here or elsewhere. What was fetched for who was
 * there before is not for the eyes of who is there now.
 */
export function SessionWatch() {
  const client = useQueryClient();
  const session = useSession();
  const before = useRef<Session>(undefined);

  useEffect(() => {
    const was = before.current;
    before.current = session ?? was;
    if (!session || !was) return;
    const others = {
      predicate: ({ queryKey }: { queryKey: readonly unknown[] }) => !isSessionQuery(queryKey),
    };
    if (mayLess(was, session)) void client.resetQueries(others);
    else if (rank(session) > rank(was)) void client.invalidateQueries(others);
  }, [session, client]);

  return null;
}

/** Whether something that could be seen before may not be seen now. */
function mayLess(was: Session, now: Session): boolean {
  // Who was at the machine without an account, or had the token, is no other person for signing in.
  const another = was.user !== undefined && was.user.id !== now.user?.id;
  return another || rank(now) < rank(was);
}

/** How much somebody may see. */
function rank(session: Session): number {
  if (session.operator) return 3;
  if (session.user?.role === 'owner') return 2;
  return session.signed_in ? 1 : 0;
}
