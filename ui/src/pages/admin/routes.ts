import { createRoute, lazyRouteComponent, type AnyRootRoute } from '@tanstack/react-router';
import { load } from '../../lib/load';

/** The pages for operators, each fetched when it is first gone to. */
export function adminRoutes<Root extends AnyRootRoute>(root: Root) {
  const getParentRoute = () => root;
  return [
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
  ] as const;
}
