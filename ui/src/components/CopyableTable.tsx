import { use, useRef, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { toTSV, type Cell } from '../lib/tsv';
import { CopyTable } from './CopyTable';
import { PanelTools } from './panelTools';
import { useTableCopy } from './useTableCopy';

interface CopyableTableProps {
  className: string | undefined;
  /** What the button says that it copies. */
  caption: string;
  header: readonly string[];
  /** The figures in full; undefined or empty while there is nothing to copy. */
  rows: readonly (readonly Cell[])[] | undefined;
  /** The parts of the table. */
  children: ReactNode;
  /** Keeps the button with the table, where a panel has several. */
  inPlace?: boolean;
}

/** A table that is laid out by hand, and can be copied as TSV as a whole. */
export function CopyableTable(props: CopyableTableProps) {
  const { caption, header, rows } = props;
  const table = useRef<HTMLTableElement>(null);
  const tools = use(PanelTools);
  const { copied, copy } = useTableCopy(table, (selected) =>
    // A selection is a text like any other here.
    selected || !rows?.length ? undefined : { text: toTSV(header, rows), rows: rows.length },
  );
  const button = rows && rows.length > 0 && (
    <CopyTable caption={caption} copied={copied} onCopy={copy} />
  );
  return (
    <>
      {tools && props.inPlace !== true ? createPortal(button, tools) : button}
      <table ref={table} className={props.className} tabIndex={-1}>
        {props.children}
      </table>
    </>
  );
}
