import { Check, Table2, X } from 'lucide-react';
import styles from './CopyTable.module.css';
import { copiedText, type Copied } from './useTableCopy';

/** The button that copies a table, named by what it copies. */
export function CopyTable(props: { caption: string; copied: Copied; onCopy: () => void }) {
  const { copied } = props;
  const Icon = copied === undefined ? Table2 : copied === 'failed' ? X : Check;
  return (
    <>
      <button
        type="button"
        className={styles.button}
        data-outcome={copied === undefined ? undefined : copied === 'failed' ? 'failed' : 'copied'}
        aria-label={`Copy as TSV: ${props.caption}`}
        title="Copy as TSV, with full figures (Ctrl+C in the table)"
        onClick={props.onCopy}
      >
        <Icon size={14} aria-hidden="true" />
        <span className={styles.text}>Copy as TSV</span>
      </button>
      <span className="visually-hidden" role="status">
        {copiedText(copied)}
      </span>
    </>
  );
}
