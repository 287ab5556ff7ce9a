import type {
  AlertChannel,
  AlertKind,
  AlertRule,
  AlertService,
  ChannelChange,
  QuietHours,
  RuleChange,
  ServiceField,
} from '../../api/alerts';

/** What stands in the form of a channel. */
export interface ChannelForm {
  name: string;
  /** By the field's key. A secret that stays as it is, is empty. */
  values: Record<string, string>;
  quiet: QuietHours | undefined;
}

/** The form as it opens: of a channel, or of a new one. */
export function channelForm(service: AlertService, channel?: AlertChannel): ChannelForm {
  const values: Record<string, string> = {};
  for (const f of service.fields) values[f.key] = f.secret ? '' : (channel?.settings[f.key] ?? '');
  return { name: channel?.name ?? service.name, values, quiet: channel?.quiet };
}

/** The places of a channel that the form changes: its secrets do not go along by themselves. */
export function movedPlaces(
  service: AlertService,
  form: ChannelForm,
  channel?: AlertChannel,
): ServiceField[] {
  if (!channel) return [];
  return service.fields.filter((f) => f.place && f.key in fieldChange(f, form, channel));
}

/** What is to be sent of a field: of a secret only what was typed. */
function fieldChange(
  f: ServiceField,
  form: ChannelForm,
  channel?: AlertChannel,
): Record<string, string> {
  const value = (form.values[f.key] ?? '').trim();
  const before = f.secret ? '' : (channel?.settings[f.key] ?? '');
  return value === before ? {} : { [f.key]: value };
}

/** The fields that must be filled in and are not. */
export function missingFields(
  service: AlertService,
  form: ChannelForm,
  channel?: AlertChannel,
): ServiceField[] {
  const moved = movedPlaces(service, form, channel).length > 0;
  return service.fields.filter(
    (f) =>
      f.required &&
      (form.values[f.key] ?? '').trim() === '' &&
      !(f.secret && !moved && channel?.secrets_set.includes(f.key)),
  );
}

/** No quiet hours, as the interface has it. */
const NEVER: QuietHours = { from: '', to: '', zone: '', blocks: false };

/**
 * What is to be sent: of a new channel all that was filled in, of another what
 * is different. Secrets that were not typed anew stay as they are, unless the
 * place changes: then they are given up.
 */
export function channelChange(
  service: AlertService,
  form: ChannelForm,
  channel?: AlertChannel,
): ChannelChange {
  const settings: Record<string, string> = {};
  const moved = movedPlaces(service, form, channel).length > 0;
  for (const f of service.fields) {
    if (moved && f.secret && channel?.secrets_set.includes(f.key)) settings[f.key] = '';
    Object.assign(settings, fieldChange(f, form, channel));
  }
  const quietChanged = JSON.stringify(form.quiet) !== JSON.stringify(channel?.quiet);
  return {
    ...(form.name.trim() !== channel?.name && { name: form.name.trim() }),
    ...(Object.keys(settings).length > 0 && { settings }),
    ...(quietChanged && { quiet: form.quiet ?? NEVER }),
  };
}

/** What stands in the form of a rule. Numbers are as they were typed. */
export interface RuleForm {
  name: string;
  events: ReadonlySet<string>;
  scope: AlertRule['scope'];
  workers: ReadonlySet<string>;
  alarms: ReadonlySet<string>;
  channels: ReadonlySet<string>;
  /** Minutes. */
  offlineAfter: string;
  rejectPercent: string;
  /** Minutes. */
  rejectWindow: string;
  rejectShares: string;
  minDifficulty: string;
}

/** The form of a rule, or of a new one about workers that stop and come back. */
export function ruleForm(
  rule: AlertRule | undefined,
  defaults: { channels: readonly string[]; scope: AlertRule['scope'] },
): RuleForm {
  const minutes = (seconds: number) => String(Math.round((seconds / 60) * 100) / 100);
  return {
    name: rule?.name ?? 'A worker stops',
    events: new Set(rule?.events ?? ['worker_offline', 'worker_online']),
    scope: rule?.scope ?? defaults.scope,
    workers: new Set(rule?.workers),
    alarms: new Set(rule?.alarms),
    channels: new Set(rule?.channels ?? defaults.channels),
    offlineAfter: minutes(rule?.offline_after_sec ?? 300),
    rejectPercent: String(rule?.reject_percent ?? 5),
    rejectWindow: minutes(rule?.reject_window_sec ?? 1800),
    rejectShares: String(rule?.reject_min_shares ?? 50),
    minDifficulty: String(rule?.min_difficulty ?? 0),
  };
}

/** Which thresholds matter for the events of a form. */
export function thresholdsOf(events: ReadonlySet<string>) {
  return {
    offline: events.has('worker_offline') || events.has('worker_online'),
    rejects: events.has('reject_rate') || events.has('reject_rate_over'),
    best: events.has('best_share'),
    alarms: events.has('scope_alarm'),
  };
}

/** What is wrong with a form, as sentences; nothing where it can be sent. */
export function ruleProblems(
  form: RuleForm,
  kinds: readonly AlertKind[],
  operator: boolean,
): string[] {
  const problems: string[] = [];
  const need = thresholdsOf(form.events);
  if (form.name.trim() === '') problems.push('The rule needs a name.');
  if (form.events.size === 0) problems.push('Choose at least one event.');
  if (form.channels.size === 0) problems.push('Choose at least one channel.');
  if (form.scope === 'pool' && !operator) {
    const barred = kinds.filter((k) => form.events.has(k.kind) && !k.pool);
    for (const k of barred) problems.push(`“${k.title}” of the whole pool is for operators.`);
  }
  const number = (text: string) => (text.trim() === '' ? NaN : Number(text.replace(',', '.')));
  const within = (text: string, least: number, most: number) =>
    number(text) >= least && number(text) <= most;
  if (need.offline && !within(form.offlineAfter, 0.5, 7 * 24 * 60)) {
    problems.push('A worker counts as offline after 0.5 minutes to 7 days.');
  }
  if (need.rejects && !(number(form.rejectPercent) > 0 && number(form.rejectPercent) <= 100)) {
    problems.push('The rejected part is above 0 and at most 100 %.');
  }
  if (need.rejects && !within(form.rejectWindow, 1, 24 * 60)) {
    problems.push('Shares are counted over 1 minute to a day.');
  }
  if (
    need.rejects &&
    !(within(form.rejectShares, 1, 1e9) && Number.isInteger(number(form.rejectShares)))
  ) {
    problems.push('The fewest shares are a whole number from 1 up.');
  }
  if (need.best && !within(form.minDifficulty, 0, Number.MAX_VALUE)) {
    problems.push('The least difficulty is 0 or more.');
  }
  return problems;
}

/** What is to be sent; thresholds that do not matter are left as they are. */
export function ruleChange(form: RuleForm): RuleChange {
  const need = thresholdsOf(form.events);
  const number = (text: string) => Number(text.replace(',', '.'));
  return {
    name: form.name.trim(),
    events: [...form.events],
    scope: form.scope,
    workers: [...form.workers],
    alarms: need.alarms ? [...form.alarms] : [],
    channels: [...form.channels],
    ...(need.offline && { offline_after_sec: Math.round(number(form.offlineAfter) * 60) }),
    ...(need.rejects && {
      reject_percent: number(form.rejectPercent),
      reject_window_sec: Math.round(number(form.rejectWindow) * 60),
      reject_min_shares: number(form.rejectShares),
    }),
    ...(need.best && { min_difficulty: number(form.minDifficulty) }),
  };
}

/** A set with something in it or not in it any more. */
export function toggled<T>(set: ReadonlySet<T>, value: T, on: boolean): Set<T> {
  const next = new Set(set);
  if (on) next.add(value);
  else next.delete(value);
  return next;
}
