// @vitest-environment jsdom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import {
  createMemoryHistory,
  createRootRoute,
  createRouter,
  RouterProvider,
} from '@tanstack/react-router';
import {
  act,
  cleanup,
  configure,
  fireEvent,
  render,
  screen,
  waitFor,
  within,
} from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { WorkerList, WorkerRow } from '../../api/workers';
import { workerKey } from '../../lib/workerKey';
import { poolRoutes } from '../routes';
import { listOf, manyWorkers } from './fixture';

// A busy machine takes its time.
configure({ asyncUtilTimeout: 30_000 });
vi.setConfig({ testTimeout: 90_000 });

let answer: () => WorkerList | Error;

beforeEach(() => {
  vi.stubGlobal(
    'fetch',
    vi.fn((path: string) => {
      if (path !== '/api/workers')
        return Promise.resolve(new Response('not found', { status: 404 }));
      const list = answer();
      return list instanceof Error
        ? Promise.reject(list)
        : Promise.resolve(new Response(JSON.stringify(list)));
    }),
  );
  const nothing = () => undefined;
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe = nothing;
      unobserve = nothing;
      disconnect = nothing;
    },
  );
  vi.stubGlobal('matchMedia', () => ({
    matches: false,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }));
  vi.stubGlobal('scrollTo', () => undefined);
  // jsdom lays nothing out: the table is 600 px high.
  vi.spyOn(Element.prototype, 'clientHeight', 'get').mockReturnValue(600);
  vi.spyOn(Element.prototype, 'clientWidth', 'get').mockReturnValue(1310);
  Element.prototype.scrollTo = () => undefined;
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

async function open(workers: WorkerRow[] | Error, change: Partial<WorkerList> = {}) {
  answer = () => (workers instanceof Error ? workers : listOf(workers, change));
  const root = createRootRoute();
  const router = createRouter({
    routeTree: root.addChildren([...poolRoutes(root)]),
    history: createMemoryHistory({ initialEntries: ['/workers'] }),
  });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <QueryClientProvider client={client}>
      {/* eslint-disable-next-line @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment -- a router of the test's own */}
      <RouterProvider router={router as any} />
    </QueryClientProvider>,
  );
  await screen.findByRole('heading', { name: 'Workers' });
  return { router, client };
}

const shown = () =>
  within(screen.getByRole('grid'))
    .getAllByRole('row')
    .slice(1)
    .map((row) => /rig\d+/.exec(row.textContent)?.[0]);

const grid = () => screen.findByRole('grid');

it('keeps few of 10,000 rows in the document, and finds any of them at once', async () => {
  await open(manyWorkers(10_000));
  const table = await grid();
  expect(table.getAttribute('aria-rowcount')).toBe('10001');
  expect(screen.getByTestId('worker-count').textContent).toBe('10,000 workers, 9,000 online');
  expect(shown().length).toBeGreaterThan(10);
  expect(shown().length).toBeLessThan(60);

  fireEvent.change(screen.getByLabelText('Search workers'), { target: { value: 'rig9876' } });
  await waitFor(() => {
    expect(shown()).toEqual(['rig9876']);
  });
  expect(screen.getByText('1 of 10,000')).toBeTruthy();
});

it('shows who is offline, and says when nobody is like that', async () => {
  await open(manyWorkers(20));
  await grid();
  fireEvent.click(screen.getByRole('radio', { name: 'Offline' }));
  expect(shown().toSorted()).toEqual(['rig19', 'rig9']);
  fireEvent.change(screen.getByLabelText('Search workers'), { target: { value: 'zzz' } });
  await screen.findByText('No worker is like that');
});

it('sorts by its headers', async () => {
  await open(manyWorkers(12));
  await grid();
  fireEvent.click(screen.getByRole('button', { name: 'Accepted' }));
  expect(shown()[0]).toBe('rig11');
  const header = screen.getByRole('columnheader', { name: 'Accepted' });
  expect(header.getAttribute('aria-sort')).toBe('descending');
  fireEvent.click(screen.getByRole('button', { name: 'Accepted' }));
  expect(shown()[0]).toBe('rig0');
  fireEvent.click(screen.getByRole('button', { name: 'Worker' }));
  expect(shown().slice(0, 3)).toEqual(['rig0', 'rig1', 'rig2']);
});

it('does not move rows under the pointer, and renews their figures all the same', async () => {
  const workers = manyWorkers(3).map((w, i) => ({ ...w, hashrate: (3 - i) * 1e12 }));
  const { client } = await open(workers);
  const table = await grid();
  expect(shown()).toEqual(['rig0', 'rig1', 'rig2']);

  const turned = workers.map((w, i) => ({ ...w, hashrate: (i + 1) * 5e12 }));
  fireEvent.focus(table);
  answer = () => listOf(turned);
  await act(() => client.refetchQueries());
  await screen.findByText('15.0 TH/s');
  expect(shown()).toEqual(['rig0', 'rig1', 'rig2']);
  fireEvent.click(screen.getByRole('button', { name: 'Sort now' }));
  expect(shown()).toEqual(['rig2', 'rig1', 'rig0']);

  fireEvent.blur(table);
  answer = () => listOf(workers);
  await act(() => client.refetchQueries());
  await waitFor(() => {
    expect(shown()).toEqual(['rig0', 'rig1', 'rig2']);
  });
});

it('works by keyboard alone', async () => {
  const { router } = await open(manyWorkers(30).map((w) => ({ ...w, hashrate: 1 })));
  const table = await grid();
  const press = (key: string, more = {}) => fireEvent.keyDown(table, { key, ...more });
  press('ArrowDown');
  press('ArrowDown');
  expect(table.getAttribute('aria-activedescendant')).toBe('worker-0000000000000001');
  press('ArrowDown', { shiftKey: true });
  expect(screen.getByText('2 selected')).toBeTruthy();
  press('Escape');
  press(' ');
  expect(screen.getByText('1 selected')).toBeTruthy();
  press('a', { ctrlKey: true });
  expect(screen.getByText('30 selected')).toBeTruthy();
  press('Escape');
  expect(screen.queryByText(/selected$/)).toBeNull();

  press('r');
  const search = screen.getByLabelText<HTMLInputElement>('Search workers');
  expect(search.value).toBe('r');
  expect(document.activeElement).toBe(search);

  fireEvent.keyDown(table, { key: 'Enter' });
  await waitFor(() => {
    expect(router.state.location.pathname).toBe('/workers/0000000000000002');
  });
});

it('copies what is selected, or all that is shown', async () => {
  await open(manyWorkers(30));
  const table = await grid();
  const copied = () => {
    table.focus();
    const data = { setData: vi.fn<(type: string, text: string) => void>() };
    fireEvent(
      document,
      Object.assign(new Event('copy', { cancelable: true }), { clipboardData: data }),
    );
    return data.setData.mock.calls[0]?.[1] ?? '';
  };
  expect(copied().trim().split('\n')).toHaveLength(31);
  fireEvent.click(screen.getByRole('checkbox', { name: /rig7$/ }));
  const lines = copied().trim().split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain('bc1qw508...kv8f3t4.rig7\t');
});

it('finds a worker by its full name without sending it', async () => {
  const { router } = await open(manyWorkers(3));
  const name = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4.rig1';
  fireEvent.change(await screen.findByLabelText('Find my worker'), {
    target: { value: ` ${name} ` },
  });
  fireEvent.click(screen.getByRole('button', { name: 'Open' }));
  await waitFor(() => {
    expect(router.state.location.pathname).toBe(`/workers/${workerKey(name)}`);
  });
  expect(JSON.stringify(vi.mocked(fetch).mock.calls)).not.toContain('bc1q');
});

it('says to the public how to see more, and to the operator nothing', async () => {
  await open(manyWorkers(3));
  await screen.findByRole('button', { name: 'Sign in as operator' });
  cleanup();
  await open(manyWorkers(3), { operator: true });
  await grid();
  expect(screen.queryByRole('button', { name: 'Sign in as operator' })).toBeNull();
});

it('keeps the list and says that it is old when nobody answers', async () => {
  const { client } = await open(manyWorkers(3));
  await grid();
  answer = () => new TypeError('Failed to fetch');
  await act(() => client.refetchQueries());
  await screen.findByText(/These figures are from/);
  expect(shown()).toHaveLength(3);
});

it('says what is wrong when there was never a list', async () => {
  await open(new TypeError('Failed to fetch'));
  await screen.findByText('Not available right now');
});

it('says how to begin when there is no worker', async () => {
  await open([]);
  await screen.findByText('No worker yet');
});
