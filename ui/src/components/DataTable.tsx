/* eslint-disable jsx-a11y/no-interactive-element-to-noninteractive-role --
   the roles repeat what table elements are, because CSS that lays them out as cards takes it away */
import { ArrowDown, ArrowUp } from 'lucide-react';
import { use, useId, useRef, useState, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { nextSort, sortRows, type Sort } from '../lib/sort';
import { toTSV, withUnit, type Cell } from '../lib/tsv';
import { CopyTable } from './CopyTable';
import styles from './DataTable.module.css';
import { PanelTools } from './panelTools';
import { Skeleton } from './Skeleton';
import { useTableCopy, type Copy } from './useTableCopy';

export interface Column<T, K extends string = string> {
  key: K;
  header: string;
  cell: (row: T) => ReactNode;
  /** What the column sorts by; without it, it does not. */
  value?: (row: T) => number | string;
  /**
   * What is copied as TSV: the figure with all its digits, a time as a Date.
   * Without it what the column sorts by; without that too, what the cell says.
   * `false` leaves the column out.
   */
  raw?: false | ((row: T) => Cell);
  /** Unit of what is copied, for the header line. */
  unit?: string;
  /** Header of what is copied, where that is something else than what is shown. */
  rawHeader?: string;
  numeric?: boolean;
  /** Its place on a card, where the table is too narrow for columns. */
  card: 'title' | 'lead' | 'detail';
}

interface DataTableProps<T, K extends string> {
  caption: string;
  columns: readonly Column<T, K>[];
  /** Undefined while loading. */
  rows: readonly T[] | undefined;
  rowKey: (row: T) => string;
  initialSort?: Sort<K>;
  /** Rows that arrived while the page was open, to be pointed out. */
  isNew?: (row: T) => boolean;
  /** How many rows to hold the place of while loading. */
  skeletonRows?: number;
}

/**
 * A table that sorts by its headers, and turns into a list of cards where its
 * container is narrow. Explicit roles keep it a table for screen readers then.
 */
export function DataTable<T, K extends string>(props: DataTableProps<T, K>) {
  const { caption, columns, rows, rowKey, initialSort, isNew, skeletonRows = 3 } = props;
  const [sort, setSort] = useState(initialSort);
  const by = sort && columns.find((c) => c.key === sort.key)?.value;
  const sorted = rows && sort && by ? sortRows(rows, by, sort.descending) : rows;
  const table = useRef<HTMLTableElement>(null);
  const tools = use(PanelTools);
  const { copied, copy } = useTableCopy(table, (selected) =>
    copyRows(columns, sorted ?? [], table.current, selected),
  );
  const copyButton = sorted && sorted.length > 0 && (
    <CopyTable caption={caption} copied={copied} onCopy={copy} />
  );

  return (
    <div className={styles.frame}>
      {tools ? createPortal(copyButton, tools) : copyButton}
      {sort && <CardSort columns={columns} sort={sort} onSort={setSort} />}
      <table
        ref={table}
        role="table"
        className={styles.table}
        aria-busy={rows === undefined}
        tabIndex={-1}
      >
        <caption className="visually-hidden">{caption}</caption>
        <thead>
          <tr role="row">
            {columns.map((c) => (
              <th
                key={c.key}
                role="columnheader"
                scope="col"
                data-numeric={c.numeric}
                aria-sort={sort?.key === c.key ? direction(sort) : undefined}
              >
                {sort && c.value ? (
                  <button
                    type="button"
                    className={styles.sort}
                    onClick={() => {
                      setSort(nextSort(sort, c.key, c.numeric === true));
                    }}
                  >
                    {c.header}
                    <Arrow active={sort.key === c.key} descending={sort.descending} />
                  </button>
                ) : (
                  c.header
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted?.map((row) => (
            <tr role="row" key={rowKey(row)} data-new={isNew?.(row)}>
              {columns.map((c) => (
                <td
                  key={c.key}
                  role="cell"
                  data-numeric={c.numeric}
                  data-card={c.card}
                  data-label={c.header}
                >
                  {c.cell(row)}
                </td>
              ))}
            </tr>
          )) ?? <SkeletonRows columns={columns} count={skeletonRows} />}
        </tbody>
      </table>
    </div>
  );
}

/** The rows as TSV: all, or those that the selection reaches into, if they are more than one. */
function copyRows<T, K extends string>(
  columns: readonly Column<T, K>[],
  rows: readonly T[],
  table: HTMLTableElement | null,
  selected: Range | undefined,
): Copy | undefined {
  const body = table?.tBodies[0];
  if (!body || rows.length === 0) return undefined;
  const wanted = rows.flatMap((row, index) => {
    const line = body.rows[index];
    return line && (!selected || selected.intersectsNode(line)) ? [{ row, line }] : [];
  });
  // A part of one row is a text like any other.
  if (selected && wanted.length < 2) return undefined;
  const copied = columns.map((c, at) => ({ c, at })).filter(({ c }) => c.raw !== false);
  const text = toTSV(
    copied.map(({ c }) => withUnit(c.rawHeader ?? c.header, c.unit)),
    wanted.map(({ row, line }) => copied.map(({ c, at }) => rawCell(c, row, line.cells[at]))),
  );
  return { text, rows: wanted.length };
}

function rawCell<T>(column: Column<T>, row: T, cell: HTMLElement | undefined): Cell {
  if (column.raw) return column.raw(row);
  return column.value ? column.value(row) : cell?.textContent;
}

function direction<K extends string>(sort: Sort<K>): 'ascending' | 'descending' {
  return sort.descending ? 'descending' : 'ascending';
}

function Arrow({ active, descending }: { active: boolean; descending: boolean }) {
  const Icon = descending ? ArrowDown : ArrowUp;
  return <Icon size={13} aria-hidden="true" className={styles.arrow} data-active={active} />;
}

/** The sort control of the cards, which have no headers to click. */
function CardSort<T, K extends string>(props: {
  columns: readonly Column<T, K>[];
  sort: Sort<K>;
  onSort: (sort: Sort<K>) => void;
}) {
  const { columns, sort, onSort } = props;
  const id = useId();
  const Icon = sort.descending ? ArrowDown : ArrowUp;
  return (
    <div className={styles.cardSort}>
      <label htmlFor={id}>Sort by</label>
      <select
        id={id}
        value={sort.key}
        onChange={(event) => {
          const column = columns.find((c) => c.key === event.target.value);
          if (column) onSort({ key: column.key, descending: column.numeric === true });
        }}
      >
        {columns
          .filter((c) => c.value)
          .map((c) => (
            <option key={c.key} value={c.key}>
              {c.header}
            </option>
          ))}
      </select>
      <button
        type="button"
        aria-label={sort.descending ? 'Largest first; turn round' : 'Smallest first; turn round'}
        onClick={() => {
          onSort({ ...sort, descending: !sort.descending });
        }}
      >
        <Icon size={16} aria-hidden="true" />
      </button>
    </div>
  );
}

function SkeletonRows<T, K extends string>(props: {
  columns: readonly Column<T, K>[];
  count: number;
}) {
  return Array.from({ length: props.count }, (_, row) => (
    <tr role="row" key={row}>
      {props.columns.map((c) => (
        <td
          key={c.key}
          role="cell"
          data-numeric={c.numeric}
          data-card={c.card}
          data-label={c.header}
        >
          <Skeleton width={c.card === 'title' ? '16ch' : '6ch'} />
        </td>
      ))}
    </tr>
  ));
}
