import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { addRule, alertsQuery, changeRule, type AlertRule, type Alerts } from '../../api/alerts';
import { refusalText } from '../../api/client';
import { savedQuery } from '../../api/saved';
import type { Session } from '../../api/session';
import { Button } from '../../components/Button';
import { Modal, ModalClose } from '../../components/Modal';
import { Segmented } from '../../components/Segmented';
import { shortWorker } from '../../scope/words';
import { groupSaved } from '../saved/group';
import styles from './AlertDialog.module.css';
import { Checks } from './Checks';
import { ruleChange, ruleForm, ruleProblems, thresholdsOf, toggled, type RuleForm } from './form';
import { Thresholds } from './Thresholds';

interface RuleDialogProps {
  alerts: Alerts;
  session: Session;
  /** The one to change; a new one without. */
  rule?: AlertRule;
  onClose: () => void;
}

/** Makes a rule, or changes one. */
export function RuleDialog({ alerts, session, rule, onClose }: RuleDialogProps) {
  const client = useQueryClient();
  const dialog = useRef<HTMLDialogElement>(null);
  // A rule and its channels belong to the same.
  const shared = rule?.shared ?? false;
  const channels = alerts.channels.filter((c) => c.shared === shared);
  const [form, setForm] = useState<RuleForm>(() =>
    ruleForm(rule, {
      channels: channels.map((c) => c.id),
      scope: session.signed_in ? 'saved' : 'pool',
    }),
  );
  const [tried, setTried] = useState(false);
  const save = useMutation({
    mutationFn: () => (rule ? changeRule(rule.id, ruleChange(form)) : addRule(ruleChange(form))),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: alertsQuery.queryKey });
      dialog.current?.close();
    },
  });
  const set = (change: Partial<RuleForm>) => {
    setForm({ ...form, ...change });
    if (!save.isIdle) save.reset();
  };

  const problems = ruleProblems(form, alerts.events, session.operator);
  const need = thresholdsOf(form.events);
  const barred = (kind: { operator: boolean; pool: boolean }) =>
    form.scope === 'pool' && !session.operator && !kind.pool;
  return (
    <Modal
      ref={dialog}
      title={rule ? 'Change the rule' : 'Add a rule'}
      className={styles.dialog}
      onClose={onClose}
    >
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (problems.length === 0 && !save.isPending) save.mutate();
        }}
      >
        <label>
          Name
          <input
            value={form.name}
            maxLength={80}
            autoComplete="off"
            onChange={(event) => {
              set({ name: event.target.value });
            }}
          />
        </label>
        {session.signed_in && !shared && (
          <div>
            <span className={styles.legend}>About</span>
            <Segmented
              legend="Whose workers"
              options={[
                { value: 'saved', label: 'My saved workers' },
                { value: 'pool', label: 'The whole pool' },
              ]}
              value={form.scope}
              onChange={(scope: RuleForm['scope']) => {
                set({ scope });
              }}
            />
          </div>
        )}
        <Checks
          legend="Tell me when"
          columns
          options={alerts.events.map((k) => ({
            value: k.kind,
            label: k.title,
            disabled: barred(k) && !form.events.has(k.kind),
          }))}
          chosen={form.events}
          onChange={(kind, on) => {
            set({ events: toggled(form.events, kind, on) });
          }}
        />
        <Thresholds form={form} onChange={set} />
        {need.alarms && alerts.alarm_kinds.length > 0 && (
          <Checks
            legend="Alarms, all when none is chosen"
            columns
            options={alerts.alarm_kinds.map((kind) => ({
              value: kind,
              label: kind.replaceAll('_', ' '),
            }))}
            chosen={form.alarms}
            onChange={(kind, on) => {
              set({ alarms: toggled(form.alarms, kind, on) });
            }}
          />
        )}
        {session.signed_in && form.scope === 'saved' && (
          <Workers
            chosen={form.workers}
            onChange={(hash, on) => {
              set({ workers: toggled(form.workers, hash, on) });
            }}
          />
        )}
        <Checks
          legend="By"
          options={channels.map((c) => ({ value: c.id, label: c.name }))}
          chosen={form.channels}
          onChange={(channel, on) => {
            set({ channels: toggled(form.channels, channel, on) });
          }}
        />
        {tried && problems.length > 0 && (
          <ul className={styles.failed} role="alert">
            {problems.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        )}
        {save.isError && (
          <p className={styles.failed} role="alert">
            {refusalText(save.error)}
          </p>
        )}
        <div className={styles.actions}>
          <ModalClose>Cancel</ModalClose>
          <Button type="submit" tone="primary" disabled={save.isPending}>
            {save.isPending ? 'Saving…' : rule ? 'Save' : 'Add'}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** Which of the saved workers a rule is about. */
function Workers(props: {
  chosen: ReadonlySet<string>;
  onChange: (hash: string, on: boolean) => void;
}) {
  const { data } = useQuery(savedQuery);
  if (!data) return null;
  const workers = groupSaved(data);
  const names = new Map(workers.map((w) => [w.hash, shortWorker(w.name)]));
  // One that was chosen and is not saved any more can still be taken out.
  const gone = [...props.chosen].filter((hash) => !names.has(hash));
  if (workers.length === 0 && gone.length === 0) {
    return (
      <p className={styles.hint}>You have saved no worker yet: until then, nothing is told.</p>
    );
  }
  return (
    <Checks
      legend="Only these workers, all saved ones when none is chosen"
      scroll
      options={[
        ...workers.map((w) => ({ value: w.hash, label: shortWorker(w.name), title: w.name })),
        ...gone.map((hash) => ({ value: hash, label: `no longer saved (${hash.slice(0, 8)}…)` })),
      ]}
      chosen={props.chosen}
      onChange={props.onChange}
    />
  );
}
