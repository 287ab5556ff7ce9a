import { createRoute, lazyRouteComponent, type AnyRootRoute } from '@tanstack/react-router';
import { load } from '../lib/load';

/** What the address of the page for signing in may carry. */
export interface SignInSearch {
  /** The page to return to; checked before anybody goes there. */
  return_to?: string;
  /** Why signing in elsewhere came to nothing, as the server puts it. */
  error?: string;
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

function readSignIn(search: Record<string, unknown>): SignInSearch {
  const returnTo = text(search.return_to);
  const error = text(search.error);
  return {
    ...(returnTo !== undefined && { return_to: returnTo }),
    ...(error !== undefined && { error }),
  };
}

/** The pages of whoever is signed in, each fetched when it is first gone to. */
export function peopleRoutes<Root extends AnyRootRoute>(root: Root) {
  const getParentRoute = () => root;
  return [
    createRoute({
      getParentRoute,
      path: '/sign-in',
      validateSearch: readSignIn,
      component: lazyRouteComponent(() => load(() => import('./signin/SignInPage')), 'SignInPage'),
    }),
    createRoute({
      getParentRoute,
      path: '/account',
      component: lazyRouteComponent(
        () => load(() => import('./account/AccountPage')),
        'AccountPage',
      ),
    }),
    createRoute({
      getParentRoute,
      path: '/saved',
      component: lazyRouteComponent(() => load(() => import('./saved/SavedPage')), 'SavedPage'),
    }),
    createRoute({
      getParentRoute,
      path: '/alerts',
      component: lazyRouteComponent(() => load(() => import('./alerts/AlertsPage')), 'AlertsPage'),
    }),
  ] as const;
}
