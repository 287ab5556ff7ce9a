import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useEffect, useId, useState } from 'react';
import { isLeavingForProof } from '../../../api/proof';
import { Button } from '../../../components/Button';
import { Field } from '../../../components/Field';
import { Empty, Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { SearchField } from '../../../components/SearchField';
import { Skeleton } from '../../../components/Skeleton';
import { plural, sentence } from '../../../lib/format';
import { AdminPage } from '../AdminPage';
import { settingsQuery, type Saved } from './api';
import { forgetDraft, keepDraft, keptDraft } from './draft';
import { LeaveGuard } from './LeaveGuard';
import {
  addSection,
  allSections,
  carryOver,
  changesOf,
  countChanges,
  EMPTY,
  filterSections,
  type Draft,
  type Form,
  type View,
} from './model';
import { RestartPanel } from './RestartPanel';
import { ReviewDialog } from './ReviewDialog';
import { SectionPanel } from './SectionPanel';
import styles from './SettingsPage.module.css';
import { useCheck } from './useCheck';

/** The configuration as a form. */
export function SettingsPage() {
  const { data: form, error, refetch } = useQuery(settingsQuery);
  const [saved, setSaved] = useState<Saved>();
  // A form that was saved begins anew, with what the file says now.
  const [round, setRound] = useState(0);

  return (
    <AdminPage
      title="Settings"
      aside={
        form &&
        (form.file === '' ? (
          'There is no configuration file'
        ) : (
          <span className={styles.file}>
            File <code>{form.file}</code>
          </span>
        ))
      }
    >
      {form && (
        <RestartPanel saved={saved} waiting={countWaiting(form)} hasFile={form.file !== ''} />
      )}
      {form ? (
        <SettingsForm
          key={round}
          form={form}
          onReload={async () => (await refetch()).data}
          onSaved={async (outcome) => {
            setSaved(outcome);
            await refetch();
            setRound(round + 1);
          }}
        />
      ) : (
        <Panel title="Settings">{error ? <Failure error={error} /> : <Loading />}</Panel>
      )}
    </AdminPage>
  );
}

/** How many settings of the file wait for the next start. */
function countWaiting(form: Form): number {
  return form.sections.flatMap((s) => s.settings).filter((s) => s.waits === 'restart').length;
}

function SettingsForm(props: {
  form: Form;
  /** Reads the file anew; undefined when that fails. */
  onReload: () => Promise<Form | undefined>;
  onSaved: (saved: Saved) => Promise<void>;
}) {
  const { form, onReload, onSaved } = props;
  // Who came back from proving at another site to be there goes on with what was entered.
  const [kept] = useState(() => keptDraft(form));
  const [draft, setDraft] = useState<Draft>(kept.draft);
  const [view, setView] = useState<View>({ text: '', changedOnly: false });
  const [reviewing, setReviewing] = useState(false);
  const shown = useDeferredValue(view);
  const id = useId();

  const { changes, problems: own } = changesOf(form, draft);
  const check = useCheck(changes);
  const problems = new Map([...(check?.problems ?? []), ...own]);
  const sections = filterSections(allSections(form, draft), draft, shown);
  const count = countChanges(draft);
  const writable = form.readOnly === '';

  useEffect(forgetDraft, []);
  useEffect(() => {
    const onLeave = () => {
      if (isLeavingForProof()) keepDraft(form, draft);
    };
    window.addEventListener('pagehide', onLeave);
    return () => {
      window.removeEventListener('pagehide', onLeave);
    };
  }, [form, draft]);

  return (
    <>
      <LeaveGuard changes={count} />
      {kept.secrets && (
        <p className={styles.notice} role="status">
          What you entered is here again, but for secrets: enter those once more.
        </p>
      )}
      <div className={styles.tools}>
        <SearchField
          label="Search the settings"
          placeholder="Key or description…"
          value={view.text}
          onChange={(text) => {
            setView({ ...view, text });
          }}
        />
        <label className={styles.only}>
          <input
            type="checkbox"
            checked={view.changedOnly}
            onChange={(event) => {
              setView({ ...view, changedOnly: event.target.checked });
            }}
          />
          Only what differs from the defaults
        </label>
        <span className={styles.jump}>
          <Field label="Go to">
            <select
              value=""
              onChange={(event) => {
                document.getElementById(event.target.value)?.scrollIntoView();
              }}
            >
              <option value="">section…</option>
              {sections.map((s) => (
                <option key={s.path} value={`${id}-${s.path}`}>
                  {s.path === '' ? 'General' : s.path}
                </option>
              ))}
            </select>
          </Field>
        </span>
      </div>
      {!writable && <p className={styles.notice}>{sentence(form.readOnly)}</p>}
      {form.problems.length > 0 && (
        <div className={styles.notice} role="alert">
          <p>The file as it is would not be taken:</p>
          <ul>
            {form.problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </div>
      )}
      {problems.has('') && (
        <p className={styles.notice} role="alert">
          {problems.get('')}
        </p>
      )}
      <div className={styles.columns}>
        <nav className={styles.index} aria-label="Sections">
          <ul>
            {sections.map((s) => (
              <li key={s.path}>
                <a href={`#${id}-${s.path}`}>{s.path === '' ? 'General' : s.path}</a>
              </li>
            ))}
          </ul>
        </nav>
        <div className={styles.sections}>
          {sections.length === 0 && (
            <Panel title="Settings">
              <Empty title="No setting is like that">Change the search or the switch.</Empty>
            </Panel>
          )}
          {sections.map((section) => (
            <SectionPanel
              key={section.path}
              id={`${id}-${section.path}`}
              section={section}
              draft={draft}
              problems={problems}
              onDraft={setDraft}
              readOnly={!writable}
            />
          ))}
          {writable && view.text === '' && form.templates.length > 0 && (
            <Panel title="Sections that may be there more than once">
              <div className={styles.add}>
                {form.templates.map((template) => (
                  <div key={template.name}>
                    <Button
                      onClick={() => {
                        const next = addSection(form, draft, template.name);
                        setDraft(next);
                        const path = next.added.at(-1) ?? '';
                        requestAnimationFrame(() => {
                          document.getElementById(`${id}-${path}`)?.scrollIntoView();
                        });
                      }}
                    >
                      Add a {template.name}
                    </Button>
                    <p>{template.doc.replaceAll('\n', ' ')}</p>
                  </div>
                ))}
              </div>
            </Panel>
          )}
        </div>
      </div>
      {count > 0 && (
        <div className={styles.bar} role="region" aria-label="Changes">
          <span role="status">
            {plural(count, 'change')} not saved
            {problems.size > 0 && (
              <strong className={styles.bad}>, {plural(problems.size, 'problem')}</strong>
            )}
          </span>
          <span className={styles.buttons}>
            <Button
              onClick={() => {
                setDraft(EMPTY);
              }}
            >
              Discard
            </Button>
            <Button
              tone="primary"
              disabled={own.size > 0}
              onClick={() => {
                setReviewing(true);
              }}
            >
              Review and save
            </Button>
          </span>
        </div>
      )}
      {reviewing && (
        <ReviewDialog
          form={form}
          changes={changes}
          onReload={() => {
            setReviewing(false);
            void onReload().then((again) => {
              if (again) setDraft((now) => carryOver(form, now, again));
            });
          }}
          onSaved={(outcome) => {
            setReviewing(false);
            setDraft(EMPTY);
            void onSaved(outcome);
          }}
          onClose={() => {
            setReviewing(false);
          }}
        />
      )}
    </>
  );
}

function Loading() {
  return (
    <div aria-busy="true" className={styles.loading}>
      <span className="visually-hidden">The settings are on their way</span>
      {Array.from({ length: 8 }, (_, i) => (
        <p key={i}>
          <Skeleton width="22ch" />
          <Skeleton width="14ch" />
        </p>
      ))}
    </div>
  );
}
