import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { TIME_STEPS, tokenColour } from '../../../lib/canvas';
import { powersOfTen } from '../../../lib/chart';
import {
  formatAxisTime,
  formatDifficulty,
  formatLatency,
  formatPreciseClock,
} from '../../../lib/format';
import { onThemeChange } from '../../../lib/theme';
import { timelineText, type JobMark, type Timeline } from './timeline';
import styles from './TimelineChart.module.css';

interface TimelineChartProps {
  timeline: Timeline;
  /** Ends of the axis, ms since 1970. */
  from: number;
  to: number;
}

/** Jobs, difficulty, shares and latencies of a session on one time axis. */
export function TimelineChart(props: TimelineChartProps) {
  const { timeline, from, to } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const scene = useRef(props);
  const [cursor, setCursor] = useState<number | null>(null);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const build = () => {
      plot.current?.destroy();
      plot.current = new uPlot(
        options(element, scene, setCursor),
        scene.current.timeline.columns,
        element,
      );
    };
    build();
    const resize = new ResizeObserver(() => plot.current?.setSize(size(element)));
    resize.observe(element);
    const unsubscribe = onThemeChange(build);
    return () => {
      unsubscribe();
      resize.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);

  useEffect(() => {
    scene.current = { timeline, from, to };
    plot.current?.setData(timeline.columns);
  }, [timeline, from, to]);

  return (
    <figure>
      <Legend timeline={timeline} cursor={cursor} />
      <div
        ref={host}
        className={styles.plot}
        role="img"
        aria-label={`Session over time: ${timelineText(timeline)}. The tables below have every value.`}
      />
    </figure>
  );
}

/** What each mark means, with the values under the cursor. */
function Legend({ timeline: { columns }, cursor }: { timeline: Timeline; cursor: number | null }) {
  const at = cursor === null ? undefined : columns[0][cursor];
  const value = (c: 1 | 2 | 3 | 4) =>
    cursor === null ? undefined : (columns[c][cursor] ?? undefined);
  const share = value(2) ?? value(3);
  return (
    <figcaption className={styles.legend}>
      <span data-mark="asked">
        Difficulty asked {value(1) !== undefined && <b>{formatDifficulty(value(1))}</b>}
      </span>
      <span data-mark="accepted">
        Accepted share {value(2) !== undefined && <b>{formatDifficulty(share)}</b>}
      </span>
      <span data-mark="refused">
        Rejected or disputed {value(3) !== undefined && <b>{formatDifficulty(share)}</b>}
      </span>
      <span data-mark="latency">
        Latency {value(4) !== undefined && <b>{formatLatency(value(4))}</b>}
      </span>
      <span data-mark="job">Job</span>
      <span data-mark="clean">Clean job</span>
      <span className={styles.time}>{at === undefined ? '' : formatPreciseClock(at * 1000)}</span>
    </figcaption>
  );
}

// uPlot's enums exist only as types, so their values are written out.
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
const LOGARITHMIC: uPlot.Scale.Distr = 3;
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
const RIGHT: uPlot.Axis.Side = 1;

function size(element: HTMLElement): { width: number; height: number } {
  return { width: element.clientWidth, height: element.clientHeight };
}

/** A logarithmic range with air around what there is. */
function logRange(_u: uPlot, min: number | null, max: number | null): [number, number] {
  if (min === null || max === null || !(min > 0)) return [0.1, 10];
  return [10 ** Math.floor(Math.log10(min) - 0.1), 10 ** Math.ceil(Math.log10(max) + 0.3)];
}

function options(
  element: HTMLElement,
  scene: { current: TimelineChartProps },
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const colour = (token: string) => tokenColour(element, token);
  const ink = colour('--ink-faint');
  const font = `12px ${getComputedStyle(element).fontFamily}`;
  const narrow = element.clientWidth < 520;
  const base = { stroke: ink, font, gap: 6, ticks: { show: false } };
  const dots = (token: string, dot: number): uPlot.Series => ({
    paths: () => null,
    points: { show: true, size: dot, fill: colour(token), stroke: colour(token), width: 0 },
    stroke: colour(token),
  });
  return {
    ...size(element),
    padding: [12, narrow ? 10 : 0, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false }, points: { size: 7 } },
    scales: {
      x: { time: true, range: () => [scene.current.from / 1000, scene.current.to / 1000] },
      difficulty: { distr: LOGARITHMIC, range: logRange },
      latency: { distr: LOGARITHMIC, range: logRange },
    },
    axes: [
      {
        ...base,
        space: narrow ? 60 : 84,
        incrs: TIME_STEPS,
        size: 24,
        grid: { show: false },
        values: (_u, splits, _axis, _space, step) =>
          splits.map((s) => formatAxisTime(s * 1000, step)),
      },
      {
        ...base,
        scale: 'difficulty',
        size: narrow ? 52 : 72,
        grid: { stroke: colour('--line'), width: 1 },
        splits: (_u, _axis, min, max) => powersOfTen(min, max),
        filter: (_u, splits) => splits,
        values: (_u, splits) => splits.map((v) => formatDifficulty(v)),
      },
      {
        ...base,
        show: !narrow,
        scale: 'latency',
        side: RIGHT,
        size: 64,
        grid: { show: false },
        splits: (_u, _axis, min, max) => powersOfTen(min, max),
        filter: (_u, splits) => splits,
        values: (_u, splits) => splits.map((v) => formatLatency(v)),
      },
    ],
    series: [
      {},
      {
        scale: 'difficulty',
        stroke: colour('--ink-soft'),
        width: 1.5,
        spanGaps: true,
        points: { show: false },
        ...(uPlot.paths.stepped && { paths: uPlot.paths.stepped({ align: 1 }) }),
      },
      { scale: 'difficulty', ...dots('--trace', 5) },
      { scale: 'difficulty', ...dots('--bad', 7) },
      { scale: 'latency', ...dots('--gold-mark', 3) },
    ],
    hooks: {
      drawAxes: [
        (u) => {
          drawJobs(u, scene.current.timeline.jobs, ink);
        },
      ],
      setCursor: [
        (u) => {
          const inside = u.cursor.left !== undefined && u.cursor.left >= 0;
          onCursor(inside ? (u.cursor.idx ?? null) : null);
        },
      ],
    },
  };
}

/** Jobs as ticks at the foot; clean ones as lines through the whole height. */
function drawJobs(u: uPlot, jobs: readonly JobMark[], stroke: string): void {
  const { ctx, bbox } = u;
  const foot = bbox.top + bbox.height;
  ctx.save();
  ctx.strokeStyle = stroke;
  ctx.lineWidth = devicePixelRatio;
  for (const job of jobs) {
    const x = Math.round(u.valToPos(job.at, 'x', true)) + 0.5;
    ctx.globalAlpha = job.clean ? 0.45 : 0.8;
    ctx.setLineDash(job.clean ? [3 * devicePixelRatio, 3 * devicePixelRatio] : []);
    ctx.beginPath();
    ctx.moveTo(x, job.clean ? bbox.top : foot - 9 * devicePixelRatio);
    ctx.lineTo(x, foot);
    ctx.stroke();
  }
  ctx.restore();
}
