import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { adminRoutes } from '../pages/admin/routes';
import { peopleRoutes } from '../pages/people';
import { poolRoutes } from '../pages/routes';
import { scopeRoutes } from '../pages/scope/routes';
import { Broken, NotFound } from './Faults';
import { Shell } from './Shell';
import { StartPage } from './StartPage';

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
});

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: StartPage,
});

export const router = createRouter({
  routeTree: root.addChildren([
    overview,
    ...poolRoutes(root),
    ...scopeRoutes(root),
    ...peopleRoutes(root),
    ...adminRoutes(root),
  ]),
  defaultErrorComponent: Broken,
  defaultPreload: 'intent',
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
