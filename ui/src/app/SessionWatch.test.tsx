// @vitest-environment jsdom
import { QueryClient, QueryClientProvider, QueryObserver } from '@tanstack/react-query';
import { act, cleanup, render } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import { sessionQuery, type Role, type Session } from '../api/session';
import { SessionWatch } from './SessionWatch';

afterEach(cleanup);

const nobody: Session = {
  signed_in: false,
  operator: false,
  local: false,
  providers: { local: true, registration: false, oidc: [] },
};

const person = (id: string, role: Role): Session => ({
  ...nobody,
  signed_in: true,
  operator: role === 'operator',
  user: { id, name: id, provider: 'local', role, created_at: '2026-01-01T00:00:00Z' },
});

/** A tab that shows something, looked at by one person and then by another. */
async function change(from: Session, to: Session) {
  const client = new QueryClient({
    defaultOptions: { queries: { retry: false, staleTime: Infinity } },
  });
  const fetched = vi.fn(() => Promise.resolve('for them'));
  client.setQueryData(sessionQuery.queryKey, from);
  client.setQueryData(['shown'], 'for the one before');
  client.setQueryData(['not shown'], 'for the one before');
  const stop = new QueryObserver(client, { queryKey: ['shown'], queryFn: fetched }).subscribe(
    () => undefined,
  );
  render(
    <QueryClientProvider client={client}>
      <SessionWatch />
    </QueryClientProvider>,
  );
  await act(async () => {
    client.setQueryData(sessionQuery.queryKey, to);
    await new Promise((done) => setTimeout(done, 0));
  });
  stop();
  return {
    kept: client.getQueryData(['not shown']) !== undefined,
    fetched: fetched.mock.calls.length > 0,
    shown: client.getQueryData(['shown']),
    session: client.getQueryData(sessionQuery.queryKey),
  };
}

it('drops what was fetched for somebody who may less now, or is another one', async () => {
  for (const [from, to] of [
    [person('ada', 'operator'), person('ada', 'viewer')],
    [person('ada', 'operator'), nobody],
    [person('ada', 'owner'), person('ada', 'viewer')],
    [person('ada', 'viewer'), person('bob', 'operator')],
    [{ ...nobody, operator: true, local: true }, person('ada', 'viewer')],
  ] as const) {
    const after = await change(from, to);
    expect(after).toEqual({ kept: false, fetched: true, shown: 'for them', session: to });
    cleanup();
  }
});

it('asks anew for somebody who may more now, and keeps what there is meanwhile', async () => {
  const to = person('ada', 'operator');
  const after = await change(person('ada', 'viewer'), to);
  expect(after).toEqual({ kept: true, fetched: true, shown: 'for them', session: to });
});

it('leaves everything alone while it is the same person in the same role', async () => {
  const to = { ...person('ada', 'operator'), confirmed_until: '2026-01-01T00:05:00Z' };
  const after = await change(person('ada', 'operator'), to);
  expect(after).toMatchObject({ kept: true, fetched: false, shown: 'for the one before' });
});
