import { queryOptions } from '@tanstack/react-query';
import { operate, readAdmin } from '../../../api/admin';
import { isRefused } from '../../../api/client';
import type { Role } from '../../../api/session';

/** An account as operators see it. */
export interface Account {
  id: string;
  name: string;
  email?: string;
  /** `local`, `clerk`, or the id of an OpenID Connect provider. */
  provider: string;
  role: Role;
  /** May not sign in. */
  disabled: boolean;
  created_at: string;
  last_seen?: string;
  /** Browsers and programs that are signed in. */
  sessions: number;
  saved_workers: number;
}

/** A role that can be given; an owner is a viewer with a worker of their own. */
export type GivenRole = Exclude<Role, 'owner'>;

export interface NewAccount {
  name: string;
  role: GivenRole;
  email?: string;
}

export interface AccountChange {
  role?: GivenRole;
  disabled?: boolean;
  email?: string;
}

/** How often the list is fetched again while it is looked at, ms. */
const PERIOD = 15_000;

export const accountsQuery = queryOptions({
  queryKey: ['admin', 'accounts'],
  queryFn: ({ signal }) => readAdmin<{ accounts: Account[] }>('/api/admin/accounts', signal),
  refetchInterval: (query) => (isRefused(query.state.error) ? false : PERIOD),
});

function path(id: string): string {
  return `/api/admin/accounts/${encodeURIComponent(id)}`;
}

/** Makes an account; the password is in the answer, and nowhere else. */
export function addAccount(account: NewAccount): Promise<{ id: string; password: string }> {
  return operate('POST', '/api/admin/accounts', account);
}

export function changeAccount(id: string, change: AccountChange): Promise<unknown> {
  return operate('PATCH', path(id), change);
}

/** Makes a new password, which ends the account's sessions; it is in the answer, and nowhere else. */
export function resetPassword(id: string): Promise<{ password: string }> {
  return operate('POST', `${path(id)}/password`);
}

export function endSessions(id: string): Promise<unknown> {
  return operate('DELETE', `${path(id)}/sessions`);
}

export function deleteAccount(id: string): Promise<unknown> {
  return operate('DELETE', path(id));
}
