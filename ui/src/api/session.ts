import { queryOptions, useQuery } from '@tanstack/react-query';
import { token } from '../scope/access';
import { ApiError, fetchJSON, sendJSON } from './client';

/** `owner` is a viewer who has proven that a worker is theirs. */
export type Role = 'viewer' | 'owner' | 'operator';

/** A person. */
export interface User {
  id: string;
  name: string;
  email?: string;
  /** `local`, `clerk`, or the id of an OpenID Connect provider. */
  provider: string;
  role: Role;
  created_at: string;
}

/** The ways to sign in that the server offers. */
export interface Providers {
  /** Accounts with a name and a password of this server. */
  local: boolean;
  /** Anybody may make themselves such an account. */
  registration: boolean;
  oidc: { id: string; name: string }[];
  /**
   * `sign_in_url` is a page of this server, a path, which takes `return_to`, or
   * one of Clerk's. `keep_url` is a page of this server that renews the session
   * while it is open in a frame.
   */
  clerk?: { sign_in_url: string; keep_url?: string };
}

/** GET /api/auth/session: who looks at the page. */
export interface Session {
  signed_in: boolean;
  user?: User;
  session_id?: string;
  expires_at?: string;
  /** Until when the password need not be given again for what is dangerous. */
  confirmed_until?: string;
  /** May see and change everything: by account, by token, or by being at the machine. */
  operator: boolean;
  /** An operator without an account, since they are at the machine itself. */
  local: boolean;
  providers: Providers;
}

/**
 * How often it is asked for again while the page is looked at, ms: often of those who
 * may lose something, when their session is ended or their role changed elsewhere.
 */
const PERIOD = { somebody: 10_000, nobody: 5 * 60_000 };

let latest: Session | undefined;

/**
 * Whether an operator is signed in with an account, as far as this page knows:
 * then the session's cookie does what the access token does.
 */
export function isOperatorSignedIn(): boolean {
  return latest?.signed_in === true && latest.operator;
}

/** Who is signed in; asked for again whenever somebody comes back to the page. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }) => {
    latest = await fetchJSON<Session>('/api/auth/session', signal, token());
    return latest;
  },
  staleTime: 30_000,
  refetchInterval: ({ state: { data } }) =>
    data?.signed_in === true || data?.operator === true ? PERIOD.somebody : PERIOD.nobody,
  refetchOnWindowFocus: 'always',
});

/** Whether a query is the one for who is signed in. */
export function isSessionQuery(key: readonly unknown[]): boolean {
  return key.length === 1 && key[0] === sessionQuery.queryKey[0];
}

/** Who looks at the page; undefined while that is not known. */
export function useSession(): Session | undefined {
  return useQuery(sessionQuery).data;
}

/** Whether an error says that one must sign in. */
export function wantsSignIn(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

export function signIn(name: string, password: string): Promise<unknown> {
  return sendJSON('POST', '/api/auth/sign-in', { name, password });
}

/** Ends the session; `location` is where to go to, here or at the provider, to end it there, too. */
export function signOut(): Promise<{ location?: string }> {
  return sendJSON('POST', '/api/auth/sign-out');
}

/** What a new account needs. */
export interface Registration {
  name: string;
  password: string;
  email?: string;
}

export function register(order: Registration): Promise<unknown> {
  return sendJSON('POST', '/api/auth/register', order);
}

/**
 * Begins to sign in with an OpenID Connect provider; answers with the address to
 * go to there. With `confirm`, who is signed in has to prove there to be present.
 */
export function startOIDC(
  id: string,
  returnTo: string,
  confirm = false,
): Promise<{ location: string }> {
  return sendJSON('POST', `/api/auth/oidc/${encodeURIComponent(id)}/start`, {
    return_to: returnTo,
    confirm,
  });
}

/** Where people sign in with Clerk and come back from to a page of this server. */
export function clerkAddress(clerk: NonNullable<Providers['clerk']>, returnTo: string): string {
  const address = clerk.sign_in_url;
  return address.startsWith('/')
    ? `${location.origin}${address}?return_to=${encodeURIComponent(returnTo)}`
    : address;
}
