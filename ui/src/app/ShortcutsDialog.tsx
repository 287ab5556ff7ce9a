import { Keyboard } from 'lucide-react';
import { Button } from '../components/Button';
import dialogStyles from '../components/Dialog.module.css';
import { Modal, ModalClose } from '../components/Modal';
import { GO, setSingleKeys, useSingleKeys } from './shortcuts';
import styles from './ShortcutsDialog.module.css';
import { useGroups } from './useGroups';

type Entry = [keys: readonly string[], what: string];

const ANYWHERE: readonly Entry[] = [
  [['Ctrl', 'K'], 'Search pages, workers, sessions and commands'],
  [['/'], 'Search this page'],
  [['?'], 'These shortcuts'],
  [['Ctrl', 'C'], 'In a table: copy it as TSV, or the rows that are selected'],
];

const MESSAGES: readonly Entry[] = [
  [['↑', '↓'], 'Move; also j and k, Page Up and Page Down, Home and End'],
  [['Enter'], 'Open the message'],
  [['Space'], 'Select a message, or not; with Ctrl and the mouse, too'],
  [['Shift', '↓'], 'Select from here to there; with Shift and the mouse, too'],
  [['Ctrl', 'A'], 'Select all that are loaded'],
  [['Esc'], 'Close the message, or select nothing'],
];

/** Every key that does something, and the switch for those without Ctrl. */
export function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const single = useSingleKeys();
  const { all } = useGroups();
  const letters = Object.entries(GO);
  const pages = all.flatMap(({ areas }) =>
    areas.flatMap((area): Entry[] => {
      const letter = letters.find(([, to]) => to === area.to)?.[0];
      return letter === undefined ? [] : [[['g', letter], area.label]];
    }),
  );

  return (
    <Modal
      title={
        <>
          <Keyboard size={18} aria-hidden="true" />
          Keyboard shortcuts
        </>
      }
      onClose={onClose}
    >
      <Keys title="Anywhere" entries={ANYWHERE} />
      <Keys title="Go to" entries={pages} columns />
      <Keys title="In the table of messages" entries={MESSAGES} />
      <div className={styles.switch}>
        <Button
          role="switch"
          aria-checked={single}
          onClick={() => {
            setSingleKeys(!single);
          }}
        >
          Single keys: {single ? 'on' : 'off'}
        </Button>
        <span>Keys without Ctrl. They never act while you type.</span>
      </div>
      <div className={dialogStyles.actions}>
        <ModalClose tone="primary">Close</ModalClose>
      </div>
    </Modal>
  );
}

function Keys(props: { title: string; entries: readonly Entry[]; columns?: boolean }) {
  return (
    <section className={styles.group}>
      <h3>{props.title}</h3>
      <dl data-columns={props.columns}>
        {props.entries.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
