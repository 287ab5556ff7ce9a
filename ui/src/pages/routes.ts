import { createRoute, lazyRouteComponent, type AnyRootRoute } from '@tanstack/react-router';
import { load } from '../lib/load';
import { readSearch } from './workers/search';

/** The pool's pages besides the overview, each fetched when it is first gone to. */
export function poolRoutes<Root extends AnyRootRoute>(root: Root) {
  const getParentRoute = () => root;
  return [
    createRoute({
      getParentRoute,
      path: '/workers',
      validateSearch: readSearch,
      component: lazyRouteComponent(
        () => load(() => import('./workers/WorkersPage')),
        'WorkersPage',
      ),
    }),
    createRoute({
      getParentRoute,
      path: '/workers/$id',
      component: lazyRouteComponent(() => load(() => import('./worker/WorkerPage')), 'WorkerPage'),
    }),
    createRoute({
      getParentRoute,
      path: '/blocks',
      component: lazyRouteComponent(() => load(() => import('./blocks/BlocksPage')), 'BlocksPage'),
    }),
    createRoute({
      getParentRoute,
      path: '/node',
      component: lazyRouteComponent(() => load(() => import('./node/NodePage')), 'NodePage'),
    }),
    createRoute({
      getParentRoute,
      path: '/server',
      component: lazyRouteComponent(() => load(() => import('./server/ServerPage')), 'ServerPage'),
    }),
    createRoute({
      getParentRoute,
      path: '/bans',
      component: lazyRouteComponent(() => load(() => import('./bans/BansPage')), 'BansPage'),
    }),
  ] as const;
}
