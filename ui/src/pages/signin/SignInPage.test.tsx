// @vitest-environment jsdom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import {
  createMemoryHistory,
  createRootRoute,
  createRouter,
  RouterProvider,
} from '@tanstack/react-router';
import { cleanup, configure, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Session } from '../../api/session';
import { peopleRoutes } from '../people';

// A busy machine takes its time.
configure({ asyncUtilTimeout: 30_000 });
vi.setConfig({ testTimeout: 90_000 });

const nobody: Session = {
  signed_in: false,
  operator: false,
  local: false,
  providers: { local: true, registration: false, oidc: [] },
};

let session: Session;
let answers: Record<string, () => Response>;
let sent: { path: string; method: string; body: unknown }[];

beforeEach(() => {
  session = nobody;
  answers = {};
  sent = [];
  vi.stubGlobal('scrollTo', () => undefined);
  vi.stubGlobal(
    'fetch',
    vi.fn((path: string, init: RequestInit = {}) => {
      if (path === '/api/auth/session') return Promise.resolve(Response.json(session));
      const method = init.method ?? 'GET';
      const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : undefined;
      sent.push({ path, method, body });
      const answer = answers[`${method} ${path}`];
      return Promise.resolve(answer?.() ?? new Response('not found', { status: 404 }));
    }),
  );
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function open(path: string) {
  const root = createRootRoute();
  const router = createRouter({
    routeTree: root.addChildren([...peopleRoutes(root)]),
    history: createMemoryHistory({ initialEntries: [path] }),
  });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <QueryClientProvider client={client}>
      {/* eslint-disable-next-line @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment -- a router of the test's own */}
      <RouterProvider router={router as any} />
    </QueryClientProvider>,
  );
  return router;
}

async function give(name: string, password: string) {
  fireEvent.change(await screen.findByLabelText('Name'), { target: { value: name } });
  fireEvent.change(screen.getByLabelText('Password'), { target: { value: password } });
  fireEvent.click(screen.getByRole('button', { name: 'Sign in' }));
}

const allowed = () => {
  session = { ...nobody, signed_in: true };
  return Response.json({ ok: true });
};

it('signs in and goes back to where somebody came from', async () => {
  answers['POST /api/auth/sign-in'] = allowed;
  const router = open('/sign-in?return_to=%2Falerts');
  await give(' ada ', 'a long password');
  await waitFor(() => {
    expect(router.state.location.pathname).toBe('/alerts');
  });
  expect(sent[0]?.body).toEqual({ name: 'ada', password: 'a long password' });
  expect(router.history.location.href).not.toContain('password');
});

it.each(['https://evil.example/', '//evil.example', '/\\evil.example'])(
  'never sends anybody to %s',
  async (target) => {
    answers['POST /api/auth/sign-in'] = allowed;
    const router = open(`/sign-in?return_to=${encodeURIComponent(target)}`);
    await give('ada', 'a long password');
    await waitFor(() => {
      expect(router.history.location.href).toBe('/');
    });
  },
);

it('says that it was wrong, and keeps the name', async () => {
  answers['POST /api/auth/sign-in'] = () =>
    new Response('wrong name or password\n', { status: 401 });
  open('/sign-in');
  await give('ada', 'a wrong password');
  expect((await screen.findByRole('alert')).textContent).toBe('Wrong name or password.');
  expect(screen.getByLabelText<HTMLInputElement>('Name').value).toBe('ada');
  expect(document.activeElement).toBe(screen.getByLabelText('Password'));
});

it('waits as long as the server wants after too many tries', async () => {
  answers['POST /api/auth/sign-in'] = () =>
    new Response('too many attempts', { status: 429, headers: { 'Retry-After': '3600' } });
  open('/sign-in');
  await give('ada', 'a wrong password');
  const button = await screen.findByRole<HTMLButtonElement>('button', { name: /^Again in/ });
  expect(button.disabled).toBe(true);
  fireEvent.submit(button);
  expect(sent).toHaveLength(1);
});

it('repeats nothing of what the address says', async () => {
  open('/sign-in?error=%3Cb%3EYour%20account%20was%20closed%2C%20call%20555');
  expect((await screen.findByRole('alert')).textContent).toBe(
    'Signing in did not work. Please try again.',
  );
});

it('offers other ways, and goes to web addresses alone', async () => {
  session = {
    ...nobody,
    providers: { local: false, registration: false, oidc: [{ id: 'home', name: 'Home' }] },
  };
  answers['POST /api/auth/oidc/home/start'] = () =>
    Response.json({ location: 'javascript:alert(1)' });
  open('/sign-in?return_to=%2Fsaved');
  fireEvent.click(await screen.findByRole('button', { name: 'Continue with Home' }));
  expect((await screen.findByRole('alert')).textContent).toContain('no web address');
  expect(sent[0]?.body).toMatchObject({ return_to: '/saved' });
  expect(screen.queryByLabelText('Password')).toBeNull();
});

it('says so where there are no accounts', async () => {
  session = { ...nobody, providers: { local: false, registration: false, oidc: [] } };
  open('/sign-in');
  await screen.findByText('Signing in is switched off');
});
