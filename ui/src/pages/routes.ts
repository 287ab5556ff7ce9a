import { createRoute, lazyRouteComponent, type AnyRootRoute } from '@tanstack/react-router';
import { readSearch } from './workers/search';

/** The pool's pages besides the overview, each fetched when it is first gone to. */
export function poolRoutes<Root extends AnyRootRoute>(root: Root) {
  const getParentRoute = () => root;
  return [
    createRoute({
      getParentRoute,
      path: '/workers',
      validateSearch: readSearch,
      component: lazyRouteComponent(() => import('./workers/WorkersPage'), 'WorkersPage'),
    }),
    createRoute({
      getParentRoute,
      path: '/workers/$id',
      component: lazyRouteComponent(() => import('./worker/WorkerPage'), 'WorkerPage'),
    }),
    createRoute({
      getParentRoute,
      path: '/blocks',
      component: lazyRouteComponent(() => import('./blocks/BlocksPage'), 'BlocksPage'),
    }),
    createRoute({
      getParentRoute,
      path: '/node',
      component: lazyRouteComponent(() => import('./node/NodePage'), 'NodePage'),
    }),
    createRoute({
      getParentRoute,
      path: '/server',
      component: lazyRouteComponent(() => import('./server/ServerPage'), 'ServerPage'),
    }),
    createRoute({
      getParentRoute,
      path: '/bans',
      component: lazyRouteComponent(() => import('./bans/BansPage'), 'BansPage'),
    }),
  ] as const;
}
