import { Bell, Cable, Gauge, Rows3, Satellite, type LucideIcon } from 'lucide-react';
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
  areas: [{ to: '/', label: 'Overview', icon: Gauge, exact: true }],
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
