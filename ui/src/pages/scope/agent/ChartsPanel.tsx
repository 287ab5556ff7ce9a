import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Empty, Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Segmented } from '../../../components/Segmented';
import { Skeleton } from '../../../components/Skeleton';
import { formatLatency, formatPercent } from '../../../lib/format';
import { AGENT_SPANS, agentSeriesQuery, type AgentRange } from '../../../scope/queries';
import { SeriesChart, type Line } from './SeriesChart';
import chartStyles from './SeriesChart.module.css';
import { toCharts } from './series';

const RANGES: { value: AgentRange; label: string }[] = [
  { value: '15m', label: '15 min' },
  { value: '1h', label: '1 h' },
  { value: '6h', label: '6 h' },
  { value: '24h', label: '24 h' },
  { value: '7d', label: '7 d' },
];

const LATENCY: Line[] = [
  { name: 'p50', token: '--trace' },
  { name: 'p95', token: '--gold-mark' },
  { name: 'p99', token: '--bad' },
];
const ACCEPTANCE: Line[] = [{ name: 'Accepted', token: '--trace' }];
const DELAY: Line[] = [{ name: 'After the first agent', token: '--trace', dots: true }];

/** Telemetry of agents that do not tell theirs comes about so often, seconds. */
const USUAL_INTERVAL = 5;

/** Latency, acceptance and job-arrival delay of an agent over time. */
export function ChartsPanel({ id, interval }: { id: string; interval: number | undefined }) {
  const [range, setRange] = useState<AgentRange>('15m');
  const { data: series, error } = useQuery(agentSeriesQuery(id, range));
  const charts = useMemo(
    () => series && toCharts(series, interval ?? USUAL_INTERVAL),
    [series, interval],
  );
  const to = series ? Date.parse(series.until) / 1000 : 0;
  const axis = { from: to - AGENT_SPANS[range], to };
  return (
    <Panel
      title="Over time"
      aside={<Segmented legend="Span" options={RANGES} value={range} onChange={setRange} />}
    >
      {!charts && error ? (
        <Failure error={error} />
      ) : charts && series?.points?.length === 0 ? (
        <Empty title="Nothing told in this span" />
      ) : (
        <div className={chartStyles.charts}>
          {charts ? (
            <>
              <SeriesChart
                name="Submit latency"
                columns={charts.latency}
                lines={LATENCY}
                format={formatLatency}
                {...axis}
              />
              <SeriesChart
                name="Acceptance"
                columns={charts.acceptance}
                lines={ACCEPTANCE}
                format={formatPercent}
                top={1.05}
                {...axis}
              />
              <SeriesChart
                name="Job arrival"
                columns={charts.delay}
                lines={DELAY}
                format={(ms) => (ms <= 0 ? 'first' : formatLatency(ms))}
                {...axis}
              />
            </>
          ) : (
            <div className={chartStyles.plot}>
              <Skeleton />
            </div>
          )}
        </div>
      )}
    </Panel>
  );
}
