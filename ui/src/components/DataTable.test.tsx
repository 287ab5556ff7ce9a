// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';
import { DataTable, type Column } from './DataTable';

interface Rig {
  name: string;
  rate: number;
}

const columns: Column<Rig>[] = [
  { key: 'name', header: 'Rig', card: 'title', cell: (r) => r.name, value: (r) => r.name },
  {
    key: 'rate',
    header: 'Rate',
    card: 'lead',
    numeric: true,
    cell: (r) => r.rate,
    value: (r) => r.rate,
  },
];

const rigs: Rig[] = [
  { name: 'rig10', rate: 2 },
  { name: 'rig9', rate: 3 },
  { name: 'rig1', rate: 1 },
];

function show(rows: Rig[] | undefined) {
  return (
    <DataTable
      caption="Rigs"
      columns={columns}
      rows={rows}
      rowKey={(r) => r.name}
      initialSort={{ key: 'rate', descending: true }}
    />
  );
}

function names(): (string | null)[] {
  return screen
    .getAllByRole('row')
    .slice(1)
    .map((row) => within(row).getAllByRole('cell')[0]?.textContent ?? null);
}

afterEach(cleanup);

it('sorts by its headers and says so', () => {
  render(show(rigs));
  expect(names()).toEqual(['rig9', 'rig10', 'rig1']);
  const header = screen.getByRole('columnheader', { name: 'Rig' });
  expect(header.getAttribute('aria-sort')).toBeNull();
  fireEvent.click(within(header).getByRole('button'));
  expect(names()).toEqual(['rig1', 'rig9', 'rig10']);
  expect(header.getAttribute('aria-sort')).toBe('ascending');
  fireEvent.click(within(header).getByRole('button'));
  expect(names()).toEqual(['rig10', 'rig9', 'rig1']);
  expect(header.getAttribute('aria-sort')).toBe('descending');
});

it('keeps its order when fresh rows arrive', () => {
  const { rerender } = render(show(rigs));
  rerender(show([{ name: 'rig2', rate: 2.5 }, ...rigs]));
  expect(names()).toEqual(['rig9', 'rig2', 'rig10', 'rig1']);
});

it('offers the same sorting where it is a list of cards', () => {
  render(show(rigs));
  fireEvent.change(screen.getByRole('combobox', { name: 'Sort by' }), {
    target: { value: 'name' },
  });
  expect(names()).toEqual(['rig1', 'rig9', 'rig10']);
});

it('holds the place of rows that are on their way', () => {
  render(show(undefined));
  expect(screen.getByRole('table').getAttribute('aria-busy')).toBe('true');
  expect(names()).toHaveLength(3);
});
