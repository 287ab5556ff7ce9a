import { showInvisible } from '../lib/invisible';
import styles from './PlainText.module.css';

/**
 * A text from outside: a name, a note, a line of a log. What cannot be seen in
 * it, or would turn the writing round, stands there as a sign.
 */
export function PlainText({ text }: { text: string }) {
  return (
    <bdi>
      {showInvisible(text).map((part, place) =>
        part.sign ? (
          <span key={place} className={styles.sign}>
            {part.text}
          </span>
        ) : (
          part.text
        ),
      )}
    </bdi>
  );
}
