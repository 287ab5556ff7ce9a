import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { LiveProvider } from './api/LiveProvider';
import { isRefused } from './api/client';
import { sessionQuery } from './api/session';
import { router } from './app/router';
import './styles/tokens.css';
import './styles/base.css';

/** A session may end, and a role change, at any time: whoever is refused asks who is signed in. */
const onError = (error: unknown) => {
  if (!isRefused(error)) return;
  // This one alone: what asks for somebody's sessions may be what was refused.
  void client.invalidateQueries({ queryKey: sessionQuery.queryKey, exact: true });
};

const client = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  // A failed view is asked for again at its next refresh; no need to insist.
  defaultOptions: { queries: { retry: false, staleTime: 2_000 } },
});

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <LiveProvider>
        <RouterProvider router={router} />
      </LiveProvider>
    </QueryClientProvider>
  </StrictMode>,
);
