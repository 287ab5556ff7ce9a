import { queryOptions } from '@tanstack/react-query';
import { operate, readAdmin } from '../../../api/admin';
import { sendJSON } from '../../../api/client';
import { sentence } from '../../../lib/format';
import { token } from '../../../scope/access';
import type { Changes } from './model';
import { problemText, toForm, type WireForm, type WireProblem } from './wire';

export const settingsQuery = queryOptions({
  queryKey: ['admin', 'settings', 'form'],
  queryFn: async ({ signal }) => toForm(await readAdmin<WireForm>('/api/admin/settings', signal)),
  // Nothing moves under the hands of whoever edits it.
  staleTime: Infinity,
  gcTime: 0,
  refetchOnWindowFocus: false,
  refetchOnReconnect: false,
});

/** What would come of changes. */
export interface Check {
  /** What is wrong, by key; '' for what is wrong with all of it. */
  problems: ReadonlyMap<string, string>;
  warnings: readonly string[];
  /** Unified diff of the file, without secrets. */
  diff: string;
  /** Keys that come into force at once. */
  live: readonly string[];
  /** Keys that wait for the next start. */
  restart: readonly string[];
}

/** What would come of changes; changes nothing. */
export async function checkSettings(changes: Changes): Promise<Check> {
  const path = '/api/admin/settings/check';
  const check = await sendJSON<{
    problems: WireProblem[];
    warnings: string[];
    diff: string;
    live: string[];
    restart: string[];
  }>('POST', path, { changes }, token());
  const problems = new Map<string, string>();
  for (const problem of check.problems) {
    const key = problem.key ?? '';
    const text = key === '' ? problemText(problem) : problem.message;
    problems.set(key, [problems.get(key), sentence(text)].filter(Boolean).join(' '));
  }
  return { ...check, problems };
}

/** What came of saving. */
export interface Saved {
  /** Keys that are in force now. */
  live: readonly string[];
  /** Keys that wait for the next start, those of earlier changes too. */
  restart: readonly string[];
  /** Name of the file that the old one was kept as. */
  backup: string;
}

/** Saves changes of the file that was seen; 409 when it has changed meanwhile. */
export function saveSettings(order: { changes: Changes; base: string }): Promise<Saved> {
  return operate('POST', '/api/admin/settings', order);
}

/** Ends the program and starts it again. */
export function restartProgram(): Promise<unknown> {
  return operate('POST', '/api/admin/restart');
}
