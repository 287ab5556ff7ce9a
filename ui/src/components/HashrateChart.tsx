import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { HistoryRange } from '../api/types';
import { TIME_STEPS, tokenColour } from '../lib/canvas';
import { isolated, powersOfTen, SPANS, summary, thin, type Columns } from '../lib/chart';
import {
  formatAxisTime,
  formatDifficulty,
  formatHashrate,
  formatTime,
  formatUTC,
  NONE,
} from '../lib/format';
import { onThemeChange } from '../lib/theme';
import styles from './HashrateChart.module.css';

interface HashrateChartProps {
  columns: Columns;
  range: HistoryRange;
  /** Right edge of the time axis, seconds since 1970. */
  end: number;
  /** When blocks were found, seconds since 1970, in any order; without, nothing is said of blocks. */
  blocks?: readonly number[];
}

/** What the drawing code reads when it draws. */
type Scene = HashrateChartProps;

/** The hashrate as a line, best shares as dots, found blocks as squares on top. */
export function HashrateChart(props: HashrateChartProps) {
  const { columns, range, end, blocks } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const scene = useRef<Scene>(props);
  const [cursor, setCursor] = useState<number | null>(null);

  // The plot is built once per set of colours and then fed.
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const build = () => {
      plot.current?.destroy();
      plot.current = new uPlot(
        options(element, scene, setCursor),
        drawn(scene.current.columns),
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
    scene.current = { columns, range, end, ...(blocks && { blocks }) };
    plot.current?.setData(drawn(columns));
  }, [columns, range, end, blocks]);

  const last = columns[0].length - 1;
  const shown = cursor !== null && cursor <= last ? cursor : null;

  const move = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12 }[event.key];
    let to: number | null;
    if (step !== undefined) to = Math.min(Math.max((shown ?? last) + step, 0), last);
    else if (event.key === 'Home') to = 0;
    else if (event.key === 'End') to = last;
    else if (event.key === 'Escape') to = null;
    else return;
    event.preventDefault();
    const u = plot.current;
    const at = to === null ? undefined : columns[0][to];
    u?.setCursor(
      at === undefined ? { left: -10, top: -10 } : { left: u.valToPos(at, 'x'), top: 0 },
    );
  };

  return (
    <div>
      <Readout {...props} index={shown} />
      <div
        className={styles.plot}
        role="slider"
        tabIndex={0}
        aria-label={label(columns, blocks, end - SPANS[range])}
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={Math.max(last, 0)}
        aria-valuenow={shown ?? Math.max(last, 0)}
        aria-valuetext={pointText(columns, shown ?? last)}
        onKeyDown={move}
        ref={host}
      />
    </div>
  );
}

/** Most best shares that are drawn as dots. */
const DOTS = 160;

function drawn([at, rate, best]: Columns): Columns {
  return [at, rate, thin(best, DOTS)];
}

function hasShares([, , best]: Columns): boolean {
  return best.some((v) => v !== null);
}

/** The legend, which doubles as the readout of the point under the cursor. */
function Readout(props: HashrateChartProps & { index: number | null }) {
  const { columns, blocks, range, end, index } = props;
  const summed = summary(columns);
  const [at, rate, best] = columns;
  const from = end - SPANS[range];
  const inRange = blocks?.filter((t) => t >= from).length;
  const time = index === null ? undefined : at[index];
  const bests = best.filter((v): v is number => v !== null);
  const rateValue = index === null ? summed?.mean : (rate[index] ?? undefined);
  const bestValue = index === null ? Math.max(...bests) : (best[index] ?? undefined);
  return (
    <div className={styles.readout}>
      <span className={styles.item}>
        <i className={styles.line} aria-hidden="true" />
        {index === null ? 'Mean hashrate' : 'Hashrate'}
        <b>{rateValue === undefined ? NONE : formatHashrate(rateValue)}</b>
      </span>
      {hasShares(columns) && (
        <span className={styles.item}>
          <i className={styles.dot} aria-hidden="true" />
          Best share
          <b>{formatDifficulty(bestValue)}</b>
        </span>
      )}
      {inRange !== undefined && (
        <span className={styles.item}>
          <i className={styles.square} aria-hidden="true" />
          Blocks found
          <b>{inRange}</b>
        </span>
      )}
      <span className={styles.time} title={time === undefined ? undefined : formatUTC(time * 1000)}>
        {time === undefined ? '' : formatTime(time * 1000, end * 1000)}
      </span>
    </div>
  );
}

function label(columns: Columns, blocks: readonly number[] | undefined, from: number): string {
  const s = summary(columns);
  if (!s) return 'Hashrate chart, no data yet';
  const found = blocks ? `; ${blocks.filter((t) => t >= from).length} blocks found` : '';
  return `Hashrate chart: between ${formatHashrate(s.low)} and ${formatHashrate(s.high)}, ${formatHashrate(s.mean)} on average${found}. Arrow keys move through it.`;
}

function pointText([at, rate, best]: Columns, index: number): string {
  const time = at[index];
  if (time === undefined) return 'no data';
  const hashrate = rate[index];
  const share = best[index];
  const parts = [
    formatTime(time * 1000, time * 1000),
    hashrate == null ? 'not measured' : formatHashrate(hashrate),
  ];
  if (share != null) parts.push(`best share ${formatDifficulty(share)}`);
  return parts.join(', ');
}

// ── uPlot ──

const NARROW = 520;

// uPlot's enums exist only as types, so their values are written out.
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
const LOGARITHMIC: uPlot.Scale.Distr = 3;
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
const RIGHT: uPlot.Axis.Side = 1;

function size(element: HTMLElement): { width: number; height: number } {
  return { width: element.clientWidth, height: element.clientHeight };
}

function options(
  element: HTMLElement,
  scene: { current: Scene },
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const ink = tokenColour(element, '--ink-faint');
  const line = tokenColour(element, '--line');
  const trace = tokenColour(element, '--trace');
  const wash = tokenColour(element, '--trace-wash');
  const gold = tokenColour(element, '--gold-mark');
  const font = `12px ${getComputedStyle(element).fontFamily}`;
  const narrow = element.clientWidth < NARROW;
  const hairline = { stroke: line, width: 1 };

  return {
    ...size(element),
    padding: [18, narrow ? 18 : 0, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { setScale: false },
      points: { size: 7 },
    },
    scales: {
      x: {
        time: true,
        range: () => [scene.current.end - SPANS[scene.current.range], scene.current.end],
      },
      y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.12 : 1] },
      share: {
        distr: LOGARITHMIC,
        range: (_u, min, max) => (min > 0 ? [min / 2, Math.max(max * 4, min * 20)] : [0.1, 10]),
      },
    },
    axes: [
      {
        stroke: ink,
        font,
        space: narrow ? 60 : 84,
        incrs: TIME_STEPS,
        size: 24,
        gap: 6,
        grid: hairline,
        ticks: { show: false },
        values: (_u, splits, _axis, _space, step) =>
          splits.map((s) => formatAxisTime(s * 1000, step)),
      },
      {
        stroke: ink,
        font,
        size: narrow ? 60 : 68,
        gap: 6,
        space: 44,
        grid: hairline,
        ticks: { show: false },
        values: (_u, splits) => splits.map((v) => (v === 0 ? '0' : axisHashrate(v))),
      },
      {
        show: !narrow,
        scale: 'share',
        side: RIGHT,
        stroke: tokenColour(element, '--gold'),
        font,
        size: 52,
        gap: 6,
        space: 40,
        grid: { show: false },
        ticks: { show: false },
        splits: (_u, _axis, min, max) =>
          hasShares(scene.current.columns) ? powersOfTen(min, max) : [],
        filter: (_u, splits) => splits,
        values: (_u, splits) => splits.map((v) => formatDifficulty(v)),
      },
    ],
    series: [
      {},
      {
        scale: 'y',
        stroke: trace,
        width: 1.75,
        fill: wash,
        points: {
          show: true,
          size: 4,
          fill: trace,
          width: 0,
          filter: (u, series) => isolated([...(u.data[series] ?? [])]),
        },
      },
      {
        scale: 'share',
        stroke: gold,
        paths: () => null,
        points: { show: true, size: 4, fill: gold, stroke: gold, width: 0 },
      },
    ],
    hooks: {
      draw: [
        (u) => {
          drawBlocks(u, scene.current.blocks ?? [], gold);
        },
      ],
      setCursor: [
        (u) => {
          onCursor(
            u.cursor.left !== undefined && u.cursor.left >= 0 ? (u.cursor.idx ?? null) : null,
          );
        },
      ],
    },
  };
}

/** Axis labels carry fewer digits than readings: `2 MH/s`, `2.5 MH/s`. */
function axisHashrate(value: number): string {
  return formatHashrate(value)
    .replace(/(\.\d*?)0+ /, '$1 ')
    .replace('. ', ' ');
}

/** A gold square per block on the upper edge, with a hair down to the axis while they are few. */
function drawBlocks(u: uPlot, blocks: readonly number[], gold: string): void {
  const { ctx, bbox } = u;
  const from = u.scales.x?.min ?? 0;
  const to = u.scales.x?.max ?? 0;
  const visible = blocks.filter((t) => t >= from && t <= to);
  const side = Math.round(7 * devicePixelRatio);
  ctx.save();
  ctx.fillStyle = gold;
  ctx.strokeStyle = gold;
  ctx.lineWidth = 1;
  for (const at of visible) {
    const x = Math.round(u.valToPos(at, 'x', true));
    ctx.globalAlpha = 1;
    ctx.fillRect(x - side / 2, bbox.top - side - 3 * devicePixelRatio, side, side);
    if (visible.length > 40) continue;
    ctx.globalAlpha = 0.35;
    ctx.beginPath();
    ctx.moveTo(x + 0.5, bbox.top - 2);
    ctx.lineTo(x + 0.5, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
