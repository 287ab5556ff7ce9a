import { Button } from '../../../components/Button';
import { Panel } from '../../../components/Panel';
import { Pill } from '../../../components/Pill';
import { enter, keepSection, removeSection, type Draft, type Section } from './model';
import { SettingRow } from './SettingRow';
import styles from './SettingsPage.module.css';

interface SectionPanelProps {
  id: string;
  section: Section;
  draft: Draft;
  /** What is wrong, by key. */
  problems: ReadonlyMap<string, string>;
  readOnly: boolean;
  onDraft: (change: (draft: Draft) => Draft) => void;
}

/** One section of the configuration. */
export function SectionPanel(props: SectionPanelProps) {
  const { id, section, draft, problems, readOnly, onDraft } = props;
  const { path, settings } = section;
  const removed = draft.removed.has(path);
  const added = draft.added.includes(path);
  // What the file does not have, nobody can take out of it.
  const removable = section.inFile && !settings.some((s) => s.locked !== '');

  return (
    <Panel
      id={id}
      title={path === '' ? 'General' : `[${path}]`}
      aside={
        <span className={styles.aside}>
          {added && <Pill tone="warn">new</Pill>}
          {removed && <Pill tone="bad">to be removed</Pill>}
          {removed ? (
            <Button
              small
              onClick={() => {
                onDraft((d) => keepSection(d, path));
              }}
            >
              Keep it
            </Button>
          ) : (
            section.repeated &&
            !readOnly &&
            (added || removable) && (
              <Button
                small
                tone="danger"
                aria-label={`Remove ${path}`}
                onClick={() => {
                  onDraft((d) => removeSection(d, path));
                }}
              >
                Remove
              </Button>
            )
          )}
        </span>
      }
    >
      {section.doc !== '' && <p className={styles.about}>{section.doc.replaceAll('\n', ' ')}</p>}
      {problems.has(path) && (
        <p className={styles.problem} role="alert">
          {problems.get(path)}
        </p>
      )}
      {!removed &&
        settings.map((setting) => (
          <SettingRow
            key={setting.key}
            setting={setting}
            entry={draft.entries.get(setting.key)}
            problem={problems.get(setting.key)}
            readOnly={readOnly}
            onEntry={(entry) => {
              onDraft((d) => enter(d, setting, entry));
            }}
          />
        ))}
    </Panel>
  );
}
