import { queryOptions } from '@tanstack/react-query';
import { token } from '../scope/access';
import { operate } from './admin';
import { fetchJSON, sendJSON } from './client';

/** GET /api/alerts: what somebody is told about, and where. */
export interface Alerts {
  channels: AlertChannel[];
  rules: AlertRule[];
  /** Newest first. */
  recent: AlertEntry[];
  events: AlertKind[];
  /** Kinds of the microscope's alarms, for operators. */
  alarm_kinds: string[];
  services: AlertService[];
}

/** A place that messages go to. */
export interface AlertChannel {
  id: string;
  /** Id of a service. */
  kind: string;
  name: string;
  enabled: boolean;
  /** Of all operators, made without an account. */
  shared: boolean;
  /** Without secrets. */
  settings: Record<string, string>;
  /** Keys of the secrets that there are. */
  secrets_set: string[];
  quiet?: QuietHours;
  /** Whether it may be used: a mailbox may once the code that went there was given back. */
  confirmed: boolean;
  created_at: string;
  last_sent_at?: string;
  last_error?: string;
  error_at?: string;
}

/** Hours in which messages are held back. */
export interface QuietHours {
  /** `22:00` of local time. */
  from: string;
  to: string;
  /** IANA name of the time zone. */
  zone: string;
  /** Found blocks are told nevertheless. */
  blocks: boolean;
}

/** A kind of channels. */
export interface AlertService {
  id: string;
  name: string;
  fields: ServiceField[];
  /** For operators only. */
  operator: boolean;
  /** Is not made in the form, but elsewhere. */
  managed: boolean;
  /** Needs a code that is sent to it. */
  confirm: boolean;
}

export interface ServiceField {
  key: string;
  label: string;
  type: 'text' | 'url' | 'email' | 'password' | 'bool';
  required: boolean;
  /** Goes in and never comes out. */
  secret: boolean;
  /** Says whose server gets the messages, and the secrets with them. */
  place: boolean;
  help?: string;
}

/** What is worth a message, and where it goes. */
export interface AlertRule {
  id: string;
  name: string;
  enabled: boolean;
  shared: boolean;
  /** Kinds of events. */
  events: string[];
  scope: 'saved' | 'pool';
  /** Hashes of names; empty for all of the scope. */
  workers: string[];
  /** Kinds of the microscope's alarms; empty for all. */
  alarms: string[];
  /** Ids. */
  channels: string[];
  offline_after_sec: number;
  /** Of all shares, 0 to 100. */
  reject_percent: number;
  reject_window_sec: number;
  reject_min_shares: number;
  /** Of best shares that are told; 0 for all. */
  min_difficulty: number;
  created_at: string;
}

/** A kind of events. */
export interface AlertKind {
  kind: string;
  title: string;
  operator: boolean;
  /** May be about the whole pool for everybody. */
  pool: boolean;
}

export type EntryState = 'queued' | 'sending' | 'sent' | 'failed' | 'dropped';

/** An event on its way to a channel. */
export interface AlertEntry {
  id: number;
  channel_id: string;
  kind: string;
  severity: 'good' | 'info' | 'warning' | 'critical';
  worker?: string;
  text: string;
  at: string;
  state: EntryState;
  attempts: number;
  next_try_at?: string;
  error?: string;
  updated_at: string;
}

/** How often it is fetched again while it is looked at, ms; sooner while something is on its way. */
const PERIOD = 15_000;
const EAGER = 3_000;

export const alertsQuery = queryOptions({
  queryKey: ['alerts'],
  queryFn: ({ signal }) => fetchJSON<Alerts>('/api/alerts', signal, token()),
  refetchInterval: (query) =>
    query.state.data?.recent.some((e) => e.state === 'queued' || e.state === 'sending')
      ? EAGER
      : PERIOD,
});

/** What is to be changed of a channel. What is left out stays as it is. */
export interface ChannelChange {
  name?: string;
  enabled?: boolean;
  /** '' removes one. */
  settings?: Record<string, string>;
  /** Without times there are none any more. */
  quiet?: QuietHours;
}

const at = (kind: 'channels' | 'rules', id: string) =>
  `/api/alerts/${kind}/${encodeURIComponent(id)}`;

/** One of all operators wants the password again; so do the next two. */
export function addChannel(kind: string, change: ChannelChange): Promise<AlertChannel> {
  return operate('POST', '/api/alerts/channels', { kind, ...change });
}

export function changeChannel(id: string, change: ChannelChange): Promise<AlertChannel> {
  return operate('PATCH', at('channels', id), change);
}

export function deleteChannel(id: string): Promise<unknown> {
  return operate('DELETE', at('channels', id));
}

/** Sends a message at once; rejects with why it did not arrive. */
export function testChannel(id: string): Promise<unknown> {
  return sendJSON('POST', `${at('channels', id)}/test`, undefined, token());
}

/** Sends another code to a channel that waits for one. */
export function sendChannelCode(id: string): Promise<unknown> {
  return sendJSON('POST', `${at('channels', id)}/code`, undefined, token());
}

export function confirmChannel(id: string, code: string): Promise<AlertChannel> {
  return sendJSON('POST', `${at('channels', id)}/confirm`, { code }, token());
}

/** What a person enters for a rule. */
export type RuleChange = Partial<Omit<AlertRule, 'id' | 'shared' | 'created_at'>>;

export function addRule(change: RuleChange): Promise<AlertRule> {
  return sendJSON('POST', '/api/alerts/rules', change, token());
}

export function changeRule(id: string, change: RuleChange): Promise<AlertRule> {
  return sendJSON('PATCH', at('rules', id), change, token());
}

export function deleteRule(id: string): Promise<unknown> {
  return sendJSON('DELETE', at('rules', id), undefined, token());
}
