import {
  Archive,
  Ban,
  Bell,
  BellRing,
  Bitcoin,
  Cable,
  CircleUser,
  Cpu,
  FileClock,
  Gauge,
  HeartPulse,
  Pickaxe,
  Rows3,
  Satellite,
  ScrollText,
  Server,
  Settings,
  Star,
  Users,
  type LucideIcon,
} from 'lucide-react';
import type { LinkProps } from '@tanstack/react-router';

/** A page in the navigation. */
export interface Area {
  to: NonNullable<LinkProps['to']>;
  label: string;
  icon: LucideIcon;
  /** Current only at exactly its address, not below it. */
  exact?: boolean;
}

/** Pages that belong together, under one heading. */
export interface AreaGroup {
  name: string;
  areas: readonly Area[];
}

/**
 * The pages that the navigation offers, in its order. A page is added here and
 * in router.tsx. The pool's are left out where there is no pool.
 */
export const POOL_AREAS: AreaGroup = {
  name: 'Pool',
  areas: [
    { to: '/', label: 'Overview', icon: Gauge, exact: true },
    { to: '/workers', label: 'Workers', icon: Pickaxe },
    { to: '/blocks', label: 'Blocks', icon: Bitcoin },
    { to: '/node', label: 'Node', icon: Server },
    { to: '/server', label: 'Server', icon: Cpu },
    { to: '/bans', label: 'Bans', icon: Ban },
  ],
};

export const SCOPE_AREAS: AreaGroup = {
  name: 'Scope',
  areas: [
    { to: '/scope/sessions', label: 'Sessions', icon: Cable },
    { to: '/scope/messages', label: 'Messages', icon: Rows3 },
    { to: '/scope/alarms', label: 'Alarms', icon: Bell },
    { to: '/scope/agents', label: 'Agents', icon: Satellite },
  ],
};

/** What belongs to whoever is signed in; where there is a pool. */
export const PEOPLE_AREAS: AreaGroup = {
  name: 'People',
  areas: [
    { to: '/saved', label: 'Saved workers', icon: Star },
    { to: '/alerts', label: 'Alerts', icon: BellRing },
    { to: '/account', label: 'Account', icon: CircleUser },
  ],
};

/** For operators only. */
export const ADMIN_AREAS: AreaGroup = {
  name: 'Administration',
  areas: [
    { to: '/admin', label: 'State', icon: HeartPulse, exact: true },
    { to: '/admin/miners', label: 'Live miners', icon: Pickaxe },
    { to: '/admin/accounts', label: 'Accounts', icon: Users },
    { to: '/admin/settings', label: 'Settings', icon: Settings },
    { to: '/admin/logs', label: 'Log', icon: ScrollText },
    { to: '/admin/audit', label: 'Audit trail', icon: FileClock },
    { to: '/admin/backups', label: 'Backups', icon: Archive },
  ],
};
