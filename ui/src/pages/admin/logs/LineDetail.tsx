import { X } from 'lucide-react';
import { Button } from '../../../components/Button';
import { CopyButton } from '../../../components/CopyButton';
import { Facts } from '../../../components/Facts';
import { Panel } from '../../../components/Panel';
import { PlainText } from '../../../components/PlainText';
import { formatUTC, parseTime } from '../../../lib/format';
import styles from './LogsPage.module.css';
import { lineText, type LogLine } from './tail';

/** All of one line. */
export function LineDetail({ line, onClose }: { line: LogLine; onClose: () => void }) {
  const at = parseTime(line.at);
  return (
    <div className={styles.detail}>
      <Panel
        title="Line"
        aside={
          <>
            <CopyButton text={lineText(line)} label="Copy the line" />
            <Button small aria-label="Close the line" onClick={onClose}>
              <X size={14} aria-hidden="true" />
            </Button>
          </>
        }
      >
        <p className={styles.message}>
          <PlainText text={line.message} />
        </p>
        <Facts
          items={[
            ['Time', at === undefined ? line.at : formatUTC(at)],
            ['Level', line.level],
            ...(line.part === '' ? [] : [['Part', line.part] as const]),
            ...Object.entries(line.attrs).map(
              ([name, value]) =>
                [
                  name,
                  <code key={name} className={styles.value}>
                    <PlainText text={value} />
                  </code>,
                ] as const,
            ),
          ]}
        />
      </Panel>
    </div>
  );
}
