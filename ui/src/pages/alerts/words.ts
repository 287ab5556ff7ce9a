import type { AlertKind, AlertRule, EntryState } from '../../api/alerts';
import type { Tone } from '../../components/Pill';
import { formatDifficulty, formatDuration, formatPercent, plural } from '../../lib/format';
import { thresholdsOf } from './form';

const STATES: Record<EntryState, { text: string; tone: Tone }> = {
  queued: { text: 'Waiting', tone: 'warn' },
  sending: { text: 'On its way', tone: 'warn' },
  sent: { text: 'Sent', tone: 'good' },
  failed: { text: 'Failed', tone: 'bad' },
  dropped: { text: 'Given up', tone: 'bad' },
};

/** What became of a message; a state that this page does not know is shown as it is. */
export function stateWord(state: string): { text: string; tone: Tone } {
  return Object.hasOwn(STATES, state)
    ? STATES[state as EntryState]
    : { text: state, tone: 'neutral' };
}

/** An event in words; one that this page does not know is called as the server has it. */
export function eventWord(kind: string, kinds: readonly AlertKind[]): string {
  if (kind === 'test') return 'A test';
  return kinds.find((k) => k.kind === kind)?.title ?? kind;
}

/** Whose workers a rule is about, in words. */
export function scopeWord(rule: Pick<AlertRule, 'scope' | 'workers'>): string {
  if (rule.workers.length > 0) return plural(rule.workers.length, 'chosen worker');
  return rule.scope === 'pool' ? 'the whole pool' : 'all saved workers';
}

/** The thresholds of a rule that matter, in words. */
export function thresholdWords(rule: AlertRule): string[] {
  const need = thresholdsOf(new Set(rule.events));
  const words: string[] = [];
  if (need.offline) words.push(`offline for ${formatDuration(rule.offline_after_sec)}`);
  if (need.rejects) {
    words.push(
      `${formatPercent(rule.reject_percent / 100)} rejected in ${formatDuration(rule.reject_window_sec)}`,
    );
  }
  if (need.best && rule.min_difficulty > 0) {
    words.push(`best share from ${formatDifficulty(rule.min_difficulty)}`);
  }
  if (need.alarms && rule.alarms.length > 0) words.push(`alarms: ${rule.alarms.join(', ')}`);
  return words;
}
