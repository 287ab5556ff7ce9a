import { createRoute, lazyRouteComponent, type AnyRootRoute } from '@tanstack/react-router';
import { load } from '../../lib/load';

/** The pages for operators, each fetched when it is first gone to. */
export function adminRoutes<Root extends AnyRootRoute>(root: Root) {
  const getParentRoute = () => root;
  return [
    createRoute({
      getParentRoute,
      path: '/admin',
      component: lazyRouteComponent(() => load(() => import('./state/StatePage')), 'StatePage'),
    }),
    createRoute({
      getParentRoute,
      path: '/admin/miners',
      component: lazyRouteComponent(() => load(() => import('./miners/MinersPage')), 'MinersPage'),
    }),
    createRoute({
      getParentRoute,
      path: '/admin/accounts',
      component: lazyRouteComponent(
        () => load(() => import('./accounts/AccountsPage')),
        'AccountsPage',
      ),
    }),
    createRoute({
      getParentRoute,
      path: '/admin/settings',
      component: lazyRouteComponent(
        () => load(() => import('./settings/SettingsPage')),
        'SettingsPage',
      ),
    }),
    createRoute({
      getParentRoute,
      path: '/admin/logs',
      component: lazyRouteComponent(() => load(() => import('./logs/LogsPage')), 'LogsPage'),
    }),
    createRoute({
      getParentRoute,
      path: '/admin/audit',
      component: lazyRouteComponent(() => load(() => import('./audit/AuditPage')), 'AuditPage'),
    }),
    createRoute({
      getParentRoute,
      path: '/admin/backups',
      component: lazyRouteComponent(
        () => load(() => import('./backups/BackupsPage')),
        'BackupsPage',
      ),
    }),
  ] as const;
}
