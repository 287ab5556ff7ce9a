import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { TIME_STEPS, tokenColour } from '../../../lib/canvas';
import { formatAxisTime, formatPreciseClock } from '../../../lib/format';
import { onThemeChange } from '../../../lib/theme';
import { countValues, extent, type ChartColumns } from './series';
import styles from './SeriesChart.module.css';

export interface Line {
  name: string;
  /** CSS token of its colour. */
  token: string;
  /** Dots instead of a line, for what happens at moments. */
  dots?: boolean;
}

interface SeriesChartProps {
  name: string;
  columns: ChartColumns;
  lines: readonly Line[];
  /** Ends of the time axis, seconds since 1970. */
  from: number;
  to: number;
  /** Upper end of the scale; without it what the values need. */
  top?: number;
  format: (value: number) => string;
}

/** Lines of one unit on a time axis. */
export function SeriesChart(props: SeriesChartProps) {
  const { name, columns, lines, from, to, format } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const scene = useRef(props);
  const [cursor, setCursor] = useState<number | null>(null);

  // The plot is built once per set of colours and then fed.
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
    scene.current = props;
    plot.current?.setData(columns);
    // What is drawn depends on these alone.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [columns, from, to]);

  const at = cursor === null ? undefined : columns[0][cursor];
  return (
    <figure className={styles.figure}>
      <figcaption className={styles.legend}>
        <h3>{name}</h3>
        {lines.map((line, index) => {
          const value = cursor === null ? lastOf(columns, index) : columns[index + 1]?.[cursor];
          return (
            <span key={line.name} data-token={line.token}>
              {line.name} {typeof value === 'number' && <b>{format(value)}</b>}
            </span>
          );
        })}
        <span className={styles.time}>{at === undefined ? '' : formatPreciseClock(at * 1000)}</span>
      </figcaption>
      <div
        ref={host}
        className={styles.plot}
        role="img"
        data-points={countValues(columns)}
        aria-label={chartText(props)}
      />
    </figure>
  );
}

function lastOf(columns: ChartColumns, index: number): number | undefined {
  const value = columns[index + 1]?.findLast((v) => typeof v === 'number');
  return value ?? undefined;
}

/** The chart in a sentence, for those who do not see it. */
function chartText({ name, columns, lines, format }: SeriesChartProps): string {
  const parts = lines.flatMap((line, index) => {
    const range = extent(columns[index + 1] ?? []);
    return range ? [`${line.name} from ${format(range[0])} to ${format(range[1])}`] : [];
  });
  return `${name} over time: ${parts.length === 0 ? 'nothing measured yet' : parts.join('; ')}`;
}

function size(element: HTMLElement): { width: number; height: number } {
  return { width: element.clientWidth, height: element.clientHeight };
}

function options(
  element: HTMLElement,
  scene: { current: SeriesChartProps },
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const ink = tokenColour(element, '--ink-faint');
  const hairline = { stroke: tokenColour(element, '--line'), width: 1 };
  const base = {
    stroke: ink,
    font: `12px ${getComputedStyle(element).fontFamily}`,
    gap: 6,
    ticks: { show: false },
  };
  return {
    ...size(element),
    padding: [10, 10, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false }, points: { size: 7 } },
    scales: {
      x: { time: true, range: () => [scene.current.from, scene.current.to] },
      y: {
        range: (_u, _min, max) => [0, scene.current.top ?? (max > 0 ? max * 1.12 : 1)],
      },
    },
    axes: [
      {
        ...base,
        space: 64,
        incrs: TIME_STEPS,
        size: 24,
        grid: { show: false },
        values: (_u, splits, _axis, _space, step) =>
          splits.map((s) => formatAxisTime(s * 1000, step)),
      },
      {
        ...base,
        size: 64,
        space: 40,
        grid: hairline,
        values: (_u, splits) => splits.map((v) => (v === 0 ? '0' : scene.current.format(v))),
      },
    ],
    series: [
      {},
      ...scene.current.lines.map(({ token, dots }): uPlot.Series => {
        const stroke = tokenColour(element, token);
        if (dots) {
          return {
            stroke,
            paths: () => null,
            points: { show: true, size: 5, fill: stroke, stroke, width: 0 },
          };
        }
        return { stroke, width: 1.5, points: { show: true, size: 3, fill: stroke, stroke } };
      }),
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
