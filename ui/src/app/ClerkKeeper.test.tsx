// @vitest-environment jsdom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, render } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import { sessionQuery, type Session } from '../api/session';
import { ClerkKeeper } from './ClerkKeeper';

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const nobody: Session = {
  signed_in: false,
  operator: false,
  local: false,
  providers: {
    local: true,
    registration: false,
    oidc: [],
    clerk: { sign_in_url: '/sign-in/clerk', keep_url: '/sign-in/clerk/keep' },
  },
};

const person = (provider: string): Session => ({
  ...nobody,
  signed_in: true,
  user: { id: '1', name: 'Ada', provider, role: 'viewer', created_at: '2026-01-01T00:00:00Z' },
});

/** Lets what was begun end: queries tell their components a turn later. */
const settle = () => new Promise((done) => setTimeout(done, 0));

/** Shows the keeper to somebody; the server, when it is asked, says that it is nobody. */
function show(session: Session) {
  const asked = vi.fn(() => Promise.resolve(Response.json(nobody)));
  vi.stubGlobal('fetch', asked);
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData(sessionQuery.queryKey, session);
  const { container } = render(
    <QueryClientProvider client={client}>
      <ClerkKeeper />
    </QueryClientProvider>,
  );
  const become = (next: Session) =>
    act(async () => {
      client.setQueryData(sessionQuery.queryKey, next);
      await settle();
    });
  return { frame: () => container.querySelector('iframe'), asked, become };
}

async function say(state: string, origin = location.origin) {
  await act(async () => {
    window.dispatchEvent(
      new MessageEvent('message', { origin, data: { type: 'poolscope-clerk', state } }),
    );
    await settle();
    await settle();
  });
}

it('is there for people of Clerk’s only', () => {
  expect(show(person('local')).frame()).toBeNull();
  cleanup();
  expect(show(person('clerk')).frame()?.getAttribute('src')).toBe('/sign-in/clerk/keep');
});

it('stays when the cookie ran out, and asks again who it is when there is a new one', async () => {
  const { frame, asked, become } = show(person('clerk'));
  await become(nobody);
  expect(frame()).not.toBeNull();
  await say('signed-in', 'https://evil.example');
  expect(asked).not.toHaveBeenCalled();
  await say('signed-in');
  expect(asked).toHaveBeenCalledOnce();
});

it('leaves when Clerk has no session any more, and asks who it is', async () => {
  const { frame, asked } = show(person('clerk'));
  await say('signed-in');
  expect(asked).not.toHaveBeenCalled();
  await say('signed-out');
  expect(asked).toHaveBeenCalledOnce();
  expect(frame()).toBeNull();
});
