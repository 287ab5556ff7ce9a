import { expect, it } from 'vitest';
import type { AlertChannel, AlertKind, AlertRule, AlertService } from '../../api/alerts';
import {
  channelChange,
  channelForm,
  missingFields,
  movedPlaces,
  ruleChange,
  ruleForm,
  ruleProblems,
  toggled,
} from './form';
import { eventWord, scopeWord, stateWord, thresholdWords } from './words';

const service: AlertService = {
  id: 'ntfy',
  name: 'ntfy',
  operator: false,
  managed: false,
  confirm: false,
  fields: [
    { key: 'server', label: 'Server', type: 'url', required: false, secret: false, place: true },
    {
      key: 'topic',
      label: 'Topic',
      type: 'password',
      required: true,
      secret: true,
      place: false,
    },
    {
      key: 'token',
      label: 'Token',
      type: 'password',
      required: false,
      secret: true,
      place: false,
    },
  ],
};

const channel: AlertChannel = {
  id: 'c1',
  kind: 'ntfy',
  name: 'Phone',
  enabled: true,
  shared: false,
  settings: { server: 'https://ntfy.example' },
  secrets_set: ['topic'],
  quiet: { from: '22:00', to: '07:00', zone: 'Europe/Berlin', blocks: false },
  confirmed: true,
  created_at: '2026-11-22T12:00:00Z',
};

it('asks for what a new channel needs', () => {
  const form = channelForm(service);
  expect(form.name).toBe('ntfy');
  expect(missingFields(service, form).map((f) => f.key)).toEqual(['topic']);
  const filled = { ...form, values: { ...form.values, topic: ' secret ' } };
  expect(missingFields(service, filled)).toEqual([]);
  expect(channelChange(service, filled)).toEqual({ name: 'ntfy', settings: { topic: 'secret' } });
});

it('sends of a channel only what was changed, and its secrets not at all', () => {
  const form = channelForm(service, channel);
  expect(form.values.topic).toBe('');
  expect(missingFields(service, form, channel)).toEqual([]);
  expect(channelChange(service, form, channel)).toEqual({});
  expect(channelChange(service, { ...form, name: 'Tablet' }, channel)).toEqual({ name: 'Tablet' });
  expect(channelChange(service, { ...form, quiet: undefined }, channel)).toEqual({
    quiet: { from: '', to: '', zone: '', blocks: false },
  });
});

it('asks for the secrets again when the server changes', () => {
  const kept = { ...channel, secrets_set: ['topic', 'token'] };
  const form = channelForm(service, kept);
  expect(movedPlaces(service, form, kept)).toEqual([]);
  const moved = { ...form, values: { ...form.values, server: '' } };
  expect(movedPlaces(service, moved, kept).map((f) => f.key)).toEqual(['server']);
  expect(missingFields(service, moved, kept).map((f) => f.key)).toEqual(['topic']);
  const again = { ...moved, values: { ...moved.values, topic: 'secret' } };
  expect(missingFields(service, again, kept)).toEqual([]);
  // One that is not required and was not entered again is given up.
  expect(channelChange(service, again, kept)).toEqual({
    settings: { server: '', topic: 'secret', token: '' },
  });
  // A new channel has nothing that could go along.
  expect(movedPlaces(service, { ...channelForm(service), values: { server: 'x' } })).toEqual([]);
});

const kinds: AlertKind[] = [
  { kind: 'worker_offline', title: 'A worker went offline', operator: false, pool: false },
  { kind: 'block_found', title: 'A block was found', operator: false, pool: true },
];

const rule: AlertRule = {
  id: 'r1',
  name: 'Rejects',
  enabled: true,
  shared: false,
  events: ['reject_rate'],
  scope: 'saved',
  workers: ['a'.repeat(64)],
  alarms: [],
  channels: ['c1'],
  offline_after_sec: 90,
  reject_percent: 2.5,
  reject_window_sec: 1800,
  reject_min_shares: 50,
  min_difficulty: 0,
  created_at: '2026-11-22T12:00:00Z',
};
const none = { channels: [], scope: 'saved' } as const;

it('gives a rule back as it was', () => {
  const change = ruleChange(ruleForm(rule, none));
  expect(rule).toMatchObject(change);
  // What does not matter for its events is not touched.
  expect(change).not.toHaveProperty('offline_after_sec');
  expect(change).not.toHaveProperty('min_difficulty');
});

it('takes minutes with a point or a comma', () => {
  const form = ruleForm({ ...rule, events: ['worker_offline'] }, none);
  expect(form.offlineAfter).toBe('1.5');
  expect(ruleChange({ ...form, offlineAfter: '0,5' }).offline_after_sec).toBe(30);
});

it('says what is wrong with a rule before it is sent', () => {
  const form = ruleForm(undefined, { channels: ['c1'], scope: 'saved' });
  expect(ruleProblems(form, kinds, false)).toEqual([]);
  const problems = (change: Partial<typeof form>, operator = false) =>
    ruleProblems({ ...form, ...change }, kinds, operator).length;
  expect(problems({ name: '  ' })).toBe(1);
  expect(problems({ events: new Set() })).toBe(1);
  expect(problems({ channels: new Set() })).toBe(1);
  for (const text of ['', '0', '-3', '0.4', '10081', 'NaN', 'Infinity', 'five']) {
    expect(problems({ offlineAfter: text }), text).toBe(1);
  }
  const rejects = { events: new Set(['reject_rate']) };
  expect(problems(rejects)).toBe(0);
  expect(problems({ ...rejects, rejectPercent: '0' })).toBe(1);
  expect(problems({ ...rejects, rejectShares: '1.5' })).toBe(1);
});

it('leaves the whole pool to operators, but for blocks', () => {
  const form = ruleForm(undefined, { channels: ['c1'], scope: 'pool' });
  expect(ruleProblems({ ...form, events: new Set(['block_found']) }, kinds, false)).toEqual([]);
  expect(ruleProblems({ ...form, events: new Set(['worker_offline']) }, kinds, false)).toHaveLength(
    1,
  );
  expect(ruleProblems({ ...form, events: new Set(['worker_offline']) }, kinds, true)).toEqual([]);
});

it('has words for rules, events and states, also for ones that it does not know', () => {
  expect(scopeWord(rule)).toBe('1 chosen worker');
  expect(scopeWord({ scope: 'pool', workers: [] })).toBe('the whole pool');
  expect(thresholdWords(rule)).toEqual(['2.5 % rejected in 30 min']);
  expect(eventWord('block_found', kinds)).toBe('A block was found');
  expect(eventWord('new_kind', kinds)).toBe('new_kind');
  expect(stateWord('sent').tone).toBe('good');
  expect(stateWord('toString')).toEqual({ text: 'toString', tone: 'neutral' });
});

it('changes sets without touching them', () => {
  const set = new Set(['a']);
  expect([...toggled(set, 'b', true)]).toEqual(['a', 'b']);
  expect([...toggled(set, 'a', false)]).toEqual([]);
  expect([...set]).toEqual(['a']);
});
