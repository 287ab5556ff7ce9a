import { PlainText } from '../../../components/PlainText';
import { parseDiff, type DiffLine } from './diff';
import styles from './ReviewDialog.module.css';

/** What is said of a line to whom its colour says nothing. */
const SAID: Partial<Record<DiffLine['kind'], string>> = { added: 'added: ', removed: 'removed: ' };

const SIGNS: Record<DiffLine['kind'], string> = {
  same: ' ',
  added: '+',
  removed: '−',
  hunk: '',
  note: '',
};

/** A unified diff of a file, with the numbers of its lines. */
export function DiffView({ text }: { text: string }) {
  const lines = parseDiff(text);
  if (lines.length === 0) return null;
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, which the keys must be able to do
    <div className={styles.diff} role="region" aria-label="Changes of the file" tabIndex={0}>
      <ol>
        {lines.map((line, place) => (
          <li key={place} data-kind={line.kind}>
            <span className={styles.number} aria-hidden="true">
              {line.after ?? line.before ?? ''}
            </span>
            <span className={styles.sign} aria-hidden="true">
              {SIGNS[line.kind]}
            </span>
            <code>
              {SAID[line.kind] !== undefined && (
                <span className="visually-hidden">{SAID[line.kind]}</span>
              )}
              <PlainText text={line.text} />
            </code>
          </li>
        ))}
      </ol>
    </div>
  );
}
