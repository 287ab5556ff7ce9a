import { useView } from '../../api/LiveProvider';
import type { Count } from '../../api/types';
import { DataTable, type Column } from '../../components/DataTable';
import { Empty, Failure } from '../../components/Message';
import { Panel } from '../../components/Panel';
import { formatCount } from '../../lib/format';
import { reasonWords, type Reason } from './reasons';
import styles from './ServerPage.module.css';

interface CountsPanelProps {
  title: string;
  caption: string;
  /** Header of the counted thing. */
  header: string;
  words: Record<string, Reason>;
  counts: readonly Count[] | undefined;
  /** What it says while nothing was counted. */
  none: string;
}

type Key = 'reason' | 'count';

/** How often what happened since the process started, with each reason in plain words. */
export function CountsPanel(props: CountsPanelProps) {
  const { title, caption, header, words, counts, none } = props;
  const { error } = useView('status');
  const columns: Column<Count, Key>[] = [
    {
      key: 'reason',
      header,
      card: 'title',
      value: (c) => reasonWords(words, c.reason).text,
      raw: (c) => c.reason,
      cell: (c) => {
        const { text, meaning } = reasonWords(words, c.reason);
        return (
          <span className={styles.reason}>
            <b>{text}</b> <code>{c.reason}</code>
            {meaning !== '' && <small>{meaning}</small>}
          </span>
        );
      },
    },
    {
      key: 'count',
      header: 'Times',
      card: 'lead',
      numeric: true,
      value: (c) => c.count,
      cell: (c) => formatCount(c.count),
    },
  ];
  return (
    <Panel title={title} flush>
      {counts?.length === 0 ? (
        <Empty title="None">{none}</Empty>
      ) : !counts && error ? (
        <Failure error={error} />
      ) : (
        <DataTable
          caption={caption}
          columns={columns}
          rows={counts}
          rowKey={(c) => c.reason}
          initialSort={{ key: 'count', descending: true }}
        />
      )}
    </Panel>
  );
}
