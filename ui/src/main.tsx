import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { LiveProvider } from './api/LiveProvider';
import { router } from './app/router';
import './styles/tokens.css';
import './styles/base.css';

const client = new QueryClient({
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
