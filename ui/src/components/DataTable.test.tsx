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

/** Presses Ctrl+C as browsers tell it, and returns what lands in the clipboard. */
function copyEvent(): string | undefined {
  let text: string | undefined;
  const event = Object.assign(new Event('copy', { bubbles: true, cancelable: true }), {
    clipboardData: { setData: (_: string, data: string) => (text = data) },
  });
  fireEvent(document, event);
  expect(event.defaultPrevented).toBe(text !== undefined);
  return text;
}

it('copies its rows as TSV, in their order, while the focus is in it', () => {
  render(show(rigs));
  expect(copyEvent()).toBeUndefined();
  screen.getByRole('table').focus();
  expect(copyEvent()).toBe('Rig\tRate\nrig9\t3\nrig10\t2\nrig1\t1\n');
  expect(screen.getByText('Copied 3 rows')).toBeTruthy();
});

it('copies the rows that are selected, and leaves a selection within one to the browser', () => {
  render(show(rigs));
  const select = (from: Node, to: Node) => {
    getSelection()?.setBaseAndExtent(from, 0, to, 1);
  };
  select(screen.getByText('rig9'), screen.getByText('rig10'));
  expect(copyEvent()).toBe('Rig\tRate\nrig9\t3\nrig10\t2\n');
  select(screen.getByText('rig9'), screen.getByText('rig9'));
  expect(copyEvent()).toBeUndefined();
  getSelection()?.removeAllRanges();
});

it('copies raw figures with their unit, and what a cell says where there is nothing else', () => {
  const told: Column<Rig>[] = [
    { key: 'name', header: 'Rig', card: 'title', cell: (r) => <b>{r.name}!</b> },
    {
      key: 'rate',
      header: 'Rate',
      card: 'lead',
      unit: 'H/s',
      raw: (r) => r.rate * 1e12,
      cell: () => '1 TH/s',
    },
    {
      key: 'pick',
      header: 'Pick',
      card: 'detail',
      raw: false,
      cell: () => <input type="checkbox" />,
    },
  ];
  render(
    <DataTable caption="Rigs" columns={told} rows={rigs.slice(0, 1)} rowKey={(r) => r.name} />,
  );
  screen.getByRole('checkbox').focus();
  expect(copyEvent()).toBe('Rig\tRate (H/s)\nrig10!\t2000000000000\n');
});

it('does not take the copying of a text field', () => {
  render(
    <>
      <input aria-label="Search" />
      {show(rigs)}
    </>,
  );
  screen.getByRole('textbox').focus();
  expect(copyEvent()).toBeUndefined();
});
