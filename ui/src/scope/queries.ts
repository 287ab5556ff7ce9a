import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { readJSON } from './client';
import type {
  Agent,
  AgentDetail,
  AgentSeries,
  Alarm,
  AlarmPage,
  AutoReplay,
  Comparison,
  DecodedAnswer,
  DifficultyTimeline,
  Facts,
  FleetStatus,
  JobPage,
  Message,
  Session,
  Settings,
  SharePage,
} from './types';

/** How often what changes while it is looked at is fetched again, ms. */
const PERIOD = 3_000;

/** Most sessions that are listed: those that began last. */
export const MOST_SESSIONS = 2000;

export const sessionsQuery = queryOptions({
  queryKey: ['scope', 'sessions'],
  queryFn: ({ signal }) =>
    readJSON<Session[]>(`/api/sessions?brief=true&limit=${MOST_SESSIONS}`, signal),
  refetchInterval: PERIOD,
});

const path = (session: string) => `/api/sessions/${encodeURIComponent(session)}`;

export function sessionQuery(id: string) {
  return queryOptions({
    queryKey: ['scope', 'session', id],
    queryFn: ({ signal }) => readJSON<Session>(path(id), signal),
    refetchInterval: PERIOD,
  });
}

/** A part of a session that changes while the session is live. */
function sessionPart<T>(id: string, part: string, live: boolean, query = '') {
  return queryOptions({
    queryKey: ['scope', 'session', id, part, query],
    queryFn: ({ signal }) => readJSON<T>(`${path(id)}/${part}${query}`, signal),
    refetchInterval: live ? PERIOD : false,
    placeholderData: keepPreviousData,
  });
}

export const factsQuery = (id: string, live: boolean) => sessionPart<Facts>(id, 'facts', live);
export const difficultyQuery = (id: string, live: boolean) =>
  sessionPart<DifficultyTimeline>(id, 'difficulty', live);
export const jobsQuery = (id: string, live: boolean, limit: number) =>
  sessionPart<JobPage>(id, 'jobs', live, `?limit=${limit}`);
export const sharesQuery = (id: string, live: boolean, limit: number) =>
  sessionPart<SharePage>(id, 'shares', live, `?limit=${limit}`);
export const sessionAlarmsQuery = (id: string, live: boolean) =>
  sessionPart<AlarmPage>(id, 'alarms', live, '?limit=200');
export const autoReplayQuery = (id: string, live: boolean) =>
  queryOptions({
    ...sessionPart<AutoReplay>(id, 'auto-replay/status', live),
    refetchInterval: live ? 1_000 : false,
  });

/** All alarms: they come in pages, those that changed first first. */
async function allAlarms(signal: AbortSignal): Promise<AlarmPage> {
  const alarms: Alarm[] = [];
  for (let since = 0; ;) {
    const page = await readJSON<AlarmPage>(`/api/alarms?limit=1000&since=${since}`, signal);
    alarms.push(...(page.alarms ?? []));
    if (!page.more) return { ...page, alarms };
    since = page.cursor;
  }
}

export const alarmsQuery = queryOptions({
  queryKey: ['scope', 'alarms'],
  queryFn: ({ signal }) => allAlarms(signal),
  refetchInterval: PERIOD,
});

export function comparisonQuery(a: string, b: string) {
  return queryOptions({
    queryKey: ['scope', 'compare', a, b],
    queryFn: ({ signal }) =>
      readJSON<Comparison>(
        `/api/compare?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`,
        signal,
      ),
    refetchInterval: PERIOD,
    placeholderData: keepPreviousData,
  });
}

export function messageQuery(id: string) {
  return queryOptions({
    queryKey: ['scope', 'message', id],
    queryFn: ({ signal }) => readJSON<Message>(`/api/messages/${encodeURIComponent(id)}`, signal),
    staleTime: Infinity,
  });
}

export function decodedQuery(id: string) {
  return queryOptions({
    queryKey: ['scope', 'decoded', id],
    queryFn: ({ signal }) =>
      readJSON<DecodedAnswer>(`/api/messages/${encodeURIComponent(id)}/decoded`, signal),
    staleTime: Infinity,
  });
}

export const settingsQuery = queryOptions({
  queryKey: ['scope', 'config'],
  queryFn: ({ signal }) => readJSON<Settings>('/api/config', signal),
  staleTime: 60_000,
});

/** Agents without the WebSocket, or when it is cut. */
export const agentsQuery = queryOptions({
  queryKey: ['scope', 'agents'],
  queryFn: ({ signal }) => readJSON<Agent[]>('/api/agents', signal),
});

export const fleetQuery = queryOptions({
  queryKey: ['scope', 'fleet'],
  queryFn: ({ signal }) => readJSON<FleetStatus>('/api/fleet', signal),
  refetchInterval: PERIOD,
});

const agentPath = (id: string) => `/api/agents/${encodeURIComponent(id)}`;

export function agentQuery(id: string) {
  return queryOptions({
    queryKey: ['scope', 'agent', id],
    queryFn: ({ signal }) => readJSON<AgentDetail>(agentPath(id), signal),
    refetchInterval: PERIOD,
  });
}

/** How far back the charts of an agent reach, in seconds. */
export const AGENT_SPANS = { '15m': 900, '1h': 3600, '6h': 21_600, '24h': 86_400, '7d': 604_800 };
export type AgentRange = keyof typeof AGENT_SPANS;

export function agentSeriesQuery(id: string, range: AgentRange) {
  return queryOptions({
    queryKey: ['scope', 'agent', id, 'series', range],
    queryFn: ({ signal }) =>
      readJSON<AgentSeries>(`${agentPath(id)}/series?range=${range}`, signal),
    refetchInterval: 5_000,
  });
}
