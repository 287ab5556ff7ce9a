import type { components } from '../api/scope.gen';

/** What the scope's API sends, by short names; made from its own description. */
type Schemas = components['schemas'];

export type Message = Schemas['Message'];
export type Session = Schemas['Session'];
export type Facts = Schemas['AuditFacts'];
export type Quantiles = Schemas['AuditQuantiles'];
export type Job = Schemas['AuditJob'];
export type JobPage = Schemas['AuditPageJob'];
export type AuditedShare = Schemas['AuditShare'];
export type SharePage = Schemas['AuditPageShare'];
export type DifficultyTimeline = Schemas['AuditDifficultyTimeline'];
export type Alarm = Schemas['AuditAlarm'];
export type AlarmPage = Schemas['AuditAlarmPage'];
export type Comparison = Schemas['AuditComparison'];
export type Decoded = Schemas['DecodeMessage'];
export type DecodedAnswer = Schemas['Decoded'];
export type DecodedJob = Schemas['DecodeJob'];
export type DecodedCoinbase = Schemas['DecodeCoinbase'];
export type ReplayAnswer = Schemas['Replay'];
export type AutoReplay = Schemas['AutoReplayState'];
export type SettingsChange = Schemas['SettingsChange'];
export type Settings = Schemas['Settings'];
export type ScopeStatus = Schemas['ScopeStatus'];
export type Agent = Schemas['HubAgent'];
export type AgentDetail = Schemas['HubDetail'];
export type AgentSeries = Schemas['HubSeries'];
export type AgentFrame = Schemas['AgentFrame'];
export type FleetStatus = Schemas['HubStatus'];
export type Order = Schemas['HubOrder'];

export type Direction = Message['direction'];

/** A frame that is no message: the server could not keep up with us, or we with it. */
export interface GapNotice {
  type: 'gap';
  /** Messages and new versions of messages that were left out. */
  dropped: number;
  first_seq: number | null;
  last_seq: number | null;
}
