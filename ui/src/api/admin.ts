import { token } from '../scope/access';
import { ApiError, fetchJSON, sendJSON } from './client';
import { askForProof, type Need } from './proof';

/** Nothing was done, since the person did not prove to be there. */
export class NotConfirmed extends Error {
  constructor() {
    super('Nothing was done: it was not confirmed.');
    this.name = 'NotConfirmed';
  }
}

/** Reads a view of the administration. It never asks for anything: views refresh by themselves. */
export function readAdmin<T>(path: string, signal?: AbortSignal): Promise<T> {
  return fetchJSON<T>(path, signal, token());
}

/**
 * Changes something. Where the server wants the password again, or somebody
 * signed in, that is asked for, and the request is sent once more. Rejects with
 * NotConfirmed when it was not given: then nothing was done.
 */
export async function operate<T = undefined>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<T> {
  const asked = new Set<Need>();
  for (;;) {
    try {
      return await sendJSON<T>(method, path, body, token());
    } catch (error) {
      const need = needOf(error);
      if (need === undefined || asked.has(need)) throw error;
      asked.add(need);
      if (!(await askForProof(need))) throw new NotConfirmed();
    }
  }
}

/** What a refusal asks for; undefined when asking would not help. */
export function needOf(error: unknown): Need | undefined {
  if (!(error instanceof ApiError)) return undefined;
  if (error.status === 401) return 'sign-in';
  return error.status === 403 && error.message === 'confirm' ? 'confirm' : undefined;
}

/** Gives the password again, which for some minutes allows what is dangerous. */
export function confirmPassword(password: string): Promise<unknown> {
  return sendJSON('POST', '/api/auth/confirm', { password });
}
