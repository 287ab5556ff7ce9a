import { Check, Copy, X } from 'lucide-react';
import { useBriefly } from '../lib/briefly';
import { copyText } from '../lib/clipboard';
import styles from './CopyButton.module.css';

type Outcome = 'copied' | 'failed';

/** Copies `text`; says for two seconds whether it worked. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [outcome, setOutcome] = useBriefly<Outcome>();

  const copy = async () => {
    setOutcome((await copyText(text)) ? 'copied' : 'failed');
  };

  const Icon = outcome === 'copied' ? Check : outcome === 'failed' ? X : Copy;
  return (
    <>
      <button
        type="button"
        className={styles.button}
        data-outcome={outcome}
        aria-label={label}
        title={label}
        onClick={() => void copy()}
      >
        <Icon size={16} aria-hidden="true" />
      </button>
      <span className="visually-hidden" role="status">
        {outcome === 'copied' && 'Copied'}
        {outcome === 'failed' && 'Copying failed; select the text instead'}
      </span>
    </>
  );
}
