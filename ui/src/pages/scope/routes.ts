import { createRoute, lazyRouteComponent, type AnyRootRoute } from '@tanstack/react-router';
import { load } from '../../lib/load';
import { readSearch } from './messages/search';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The scope's pages, each fetched when it is first gone to. */
export function scopeRoutes<Root extends AnyRootRoute>(root: Root) {
  const getParentRoute = () => root;
  return [
    createRoute({
      getParentRoute,
      path: '/scope/sessions',
      component: lazyRouteComponent(
        () => load(() => import('./sessions/SessionsPage')),
        'SessionsPage',
      ),
    }),
    createRoute({
      getParentRoute,
      path: '/scope/sessions/$id',
      component: lazyRouteComponent(
        () => load(() => import('./session/SessionPage')),
        'SessionPage',
      ),
    }),
    createRoute({
      getParentRoute,
      path: '/scope/compare',
      validateSearch: (search: Record<string, unknown>) => ({
        a: text(search.a),
        b: text(search.b),
      }),
      component: lazyRouteComponent(
        () => load(() => import('./compare/ComparePage')),
        'ComparePage',
      ),
    }),
    createRoute({
      getParentRoute,
      path: '/scope/messages',
      validateSearch: readSearch,
      component: lazyRouteComponent(
        () => load(() => import('./messages/MessagesPage')),
        'MessagesPage',
      ),
    }),
    createRoute({
      getParentRoute,
      path: '/scope/alarms',
      component: lazyRouteComponent(() => load(() => import('./alarms/AlarmsPage')), 'AlarmsPage'),
    }),
    createRoute({
      getParentRoute,
      path: '/scope/agents',
      component: lazyRouteComponent(() => load(() => import('./agents/AgentsPage')), 'AgentsPage'),
    }),
    createRoute({
      getParentRoute,
      path: '/scope/agents/$id',
      component: lazyRouteComponent(() => load(() => import('./agent/AgentPage')), 'AgentPage'),
    }),
  ] as const;
}
