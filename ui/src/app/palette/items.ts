import {
  Cable,
  Copy,
  FileJson,
  Keyboard,
  KeyRound,
  LogIn,
  LogOut,
  Moon,
  Monitor,
  Pickaxe,
  Sun,
  type LucideIcon,
} from 'lucide-react';
import type { Session as WhoLooks } from '../../api/session';
import type { Status } from '../../api/types';
import type { WorkerRow } from '../../api/workers';
import { reachableURL } from '../../lib/stratum';
import type { Theme } from '../../lib/theme';
import type { Session } from '../../scope/types';
import { shortSession, shortWorker } from '../../scope/words';
import type { AreaGroup } from '../navigation';
import type { Findable } from './rank';

/** What choosing an item does. */
export type Act =
  | { page: AreaGroup['areas'][number]['to'] }
  | { worker: string }
  | { session: string }
  | { open: string }
  | { copy: string }
  | { theme: Theme }
  | { ask: 'token' | 'help' | 'sign-out' };

/** A line of the palette. */
export interface Item extends Findable {
  /** Unique among all. */
  key: string;
  kind: 'Page' | 'Worker' | 'Session' | 'Command';
  icon: LucideIcon;
  /** After the label, for what is not in it. */
  detail?: string;
  act: Act;
}

export function pageItems(groups: readonly AreaGroup[]): Item[] {
  const pages = groups.flatMap(({ name, areas }) =>
    areas.map(({ to, label, icon }): Item => ({
      key: `page ${to}`,
      kind: 'Page',
      label,
      icon,
      keywords: name,
      act: { page: to },
    })),
  );
  return [
    ...pages,
    {
      key: 'page docs',
      kind: 'Page',
      label: 'API description',
      keywords: 'openapi swagger docs',
      icon: FileJson,
      act: { open: '/docs' },
    },
  ];
}

export function workerItems(workers: readonly WorkerRow[]): Item[] {
  return workers.map((w) => ({
    key: `worker ${w.id}`,
    kind: 'Worker',
    label: shortWorker(w.name),
    keywords: `${w.name} ${w.user_agent} ${w.id}`,
    icon: Pickaxe,
    detail: w.online ? w.user_agent : 'offline',
    act: { worker: w.id },
  }));
}

/** Live sessions first, those that began last first. */
export function sessionItems(sessions: readonly Session[]): Item[] {
  const newest = sessions.toReversed();
  return [...newest.filter((s) => s.live), ...newest.filter((s) => !s.live)].map((s) => ({
    key: `session ${s.session_id}`,
    kind: 'Session',
    label: s.workers?.[0] ? shortWorker(s.workers[0]) : s.peer,
    keywords: [s.session_id, ...(s.workers ?? []), s.user_agent, s.peer, s.pool_host].join(' '),
    icon: Cable,
    detail: `${s.live ? 'live' : 'ended'} · ${s.origin} · ${shortSession(s.session_id)}`,
    act: { session: s.session_id },
  }));
}

const THEMES: readonly [Theme, string, LucideIcon][] = [
  ['dark', 'Theme: dark', Moon],
  ['light', 'Theme: light', Sun],
  ['system', 'Theme: as the system has it', Monitor],
];

export function commandItems(
  theme: Theme,
  status: Status | undefined,
  host: string,
  session: WhoLooks | undefined,
): Item[] {
  const commands: Item[] = [];
  for (const { url } of status?.stratum ?? []) {
    const reachable = reachableURL(url, host);
    commands.push({
      key: `copy ${url}`,
      kind: 'Command',
      label: 'Copy the pool’s address',
      detail: reachable,
      keywords: `stratum url connect ${reachable}`,
      icon: Copy,
      act: { copy: reachable },
    });
  }
  for (const [name, label, icon] of THEMES) {
    if (name === theme) continue;
    commands.push({
      key: label,
      kind: 'Command',
      label,
      keywords: 'toggle colours mode appearance',
      icon,
      act: { theme: name },
    });
  }
  if (session?.signed_in === true) {
    commands.push({
      key: 'sign out',
      kind: 'Command',
      label: 'Sign out',
      keywords: 'log off leave account logout',
      icon: LogOut,
      act: { ask: 'sign-out' },
    });
  } else if (session) {
    commands.push({
      key: 'sign in',
      kind: 'Command',
      label: 'Sign in',
      keywords: 'login log on account password user',
      icon: LogIn,
      act: { page: '/sign-in' },
    });
  }
  commands.push(
    {
      key: 'token',
      kind: 'Command',
      label: 'Enter the access token',
      keywords: 'login operator password sign in',
      icon: KeyRound,
      act: { ask: 'token' },
    },
    {
      key: 'copy link',
      kind: 'Command',
      label: 'Copy a link to this page',
      keywords: 'url address share',
      icon: Copy,
      act: { copy: '' },
    },
    {
      key: 'help',
      kind: 'Command',
      label: 'Keyboard shortcuts',
      keywords: 'keys help',
      icon: Keyboard,
      act: { ask: 'help' },
    },
  );
  return commands;
}
