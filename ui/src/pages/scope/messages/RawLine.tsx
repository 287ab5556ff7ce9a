import { hexDump, showInvisible } from '../../../lib/invisible';
import styles from './RawLine.module.css';

/** Characters that are shown of a very long line. */
const MOST = 20_000;

/** The bytes of a line: what cannot be seen as a sign, what is no text in hexadecimal. */
export function RawLine({ raw, encoding }: { raw: string; encoding: 'utf-8' | 'base64' }) {
  const whole = encoding === 'base64' ? atob(raw) : raw;
  const shown = whole.slice(0, MOST);
  return (
    <>
      <pre className={styles.raw} data-hex={encoding === 'base64'} data-testid="raw">
        {encoding === 'base64'
          ? hexDump(shown)
          : showInvisible(shown).map((part, i) =>
              part.sign ? (
                <span key={i} className={styles.sign}>
                  {part.text}
                </span>
              ) : (
                part.text
              ),
            )}
      </pre>
      {whole.length > MOST && (
        <p className={styles.cut}>
          The first {MOST} of {whole.length} characters; copying takes all.
        </p>
      )}
    </>
  );
}
