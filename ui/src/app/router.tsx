import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { OverviewPage } from '../pages/overview/OverviewPage';
import { Broken, NotFound } from './Faults';
import { Shell } from './Shell';

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
});

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: OverviewPage,
});

export const router = createRouter({
  routeTree: root.addChildren([overview]),
  defaultErrorComponent: Broken,
  defaultPreload: 'intent',
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
