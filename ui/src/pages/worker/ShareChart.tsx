import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { TIME_STEPS, tokenColour } from '../../lib/canvas';
import { powersOfTen } from '../../lib/chart';
import { formatAxisTime, formatClock, formatDifficulty } from '../../lib/format';
import { onThemeChange } from '../../lib/theme';
import styles from './ShareChart.module.css';
import { shareText, type ShareColumns } from './timeline';

interface ShareChartProps {
  columns: ShareColumns;
  /** Ends of the axis, ms since 1970. */
  from: number;
  to: number;
}

/** A worker's shares by their true difficulty, over the difficulty that the pool asks for. */
export function ShareChart(props: ShareChartProps) {
  const { columns, from, to } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const scene = useRef(props);
  const [cursor, setCursor] = useState<number | null>(null);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const build = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options(element, scene, setCursor), scene.current.columns, element);
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
    scene.current = { columns, from, to };
    plot.current?.setData(columns);
  }, [columns, from, to]);

  return (
    <figure>
      <Legend columns={columns} cursor={cursor} />
      <div
        ref={host}
        className={styles.plot}
        role="img"
        aria-label={`Shares over time: ${shareText(columns)}.`}
      />
    </figure>
  );
}

/** What each mark means, with the values under the cursor. */
function Legend({ columns, cursor }: { columns: ShareColumns; cursor: number | null }) {
  const at = cursor === null ? undefined : columns[0][cursor];
  const value = (c: 1 | 2 | 3) => (cursor === null ? undefined : (columns[c][cursor] ?? undefined));
  const item = (mark: string, name: string, c: 1 | 2 | 3) => (
    <span data-mark={mark}>
      {name} {value(c) !== undefined && <b>{formatDifficulty(value(c))}</b>}
    </span>
  );
  return (
    <figcaption className={styles.legend}>
      {item('assigned', 'Assigned difficulty', 1)}
      {item('accepted', 'Accepted share', 2)}
      {item('rejected', 'Rejected share', 3)}
      <span className={styles.time}>{at === undefined ? '' : formatClock(at * 1000)}</span>
    </figcaption>
  );
}

// uPlot's enums exist only as types, so their values are written out.
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
const LOGARITHMIC: uPlot.Scale.Distr = 3;

const NARROW = 520;

function size(element: HTMLElement): { width: number; height: number } {
  return { width: element.clientWidth, height: element.clientHeight };
}

function options(
  element: HTMLElement,
  scene: { current: ShareChartProps },
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const colour = (token: string) => tokenColour(element, token);
  const font = `12px ${getComputedStyle(element).fontFamily}`;
  const narrow = element.clientWidth < NARROW;
  const axis = { stroke: colour('--ink-faint'), font, gap: 6, ticks: { show: false } };
  const dots = (token: string, dot: number): uPlot.Series => ({
    scale: 'difficulty',
    paths: () => null,
    points: { show: true, size: dot, fill: colour(token), stroke: colour(token), width: 0 },
    stroke: colour(token),
  });
  return {
    ...size(element),
    padding: [12, 12, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false }, points: { size: 7 } },
    scales: {
      x: { time: true, range: () => [scene.current.from / 1000, scene.current.to / 1000] },
      difficulty: {
        distr: LOGARITHMIC,
        range: (_u, min, max) => (min > 0 ? [min / 2, Math.max(max * 2, min * 20)] : [0.1, 10]),
      },
    },
    axes: [
      {
        ...axis,
        space: narrow ? 60 : 84,
        incrs: TIME_STEPS,
        size: 24,
        grid: { show: false },
        values: (_u, splits, _axis, _space, step) =>
          splits.map((s) => formatAxisTime(s * 1000, step)),
      },
      {
        ...axis,
        scale: 'difficulty',
        size: narrow ? 56 : 72,
        grid: { stroke: colour('--line'), width: 1 },
        splits: (_u, _axis, min, max) => powersOfTen(min, max),
        filter: (_u, splits) => splits,
        values: (_u, splits) => splits.map((v) => formatDifficulty(v)),
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
      dots('--trace', 5),
      dots('--bad', 7),
    ],
    hooks: {
      setCursor: [
        (u) => {
          const inside = u.cursor.left !== undefined && u.cursor.left >= 0;
          onCursor(inside ? (u.cursor.idx ?? null) : null);
        },
      ],
    },
  };
}
