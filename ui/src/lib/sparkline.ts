/** A figure at a time, ms since 1970. */
export interface SparkPoint {
  at: number;
  value: number;
}

/** What an SVG needs to draw a small chart. */
export interface Spark {
  /** The trace, for `d` of a path. */
  line: string;
  /** The same, closed to the ground. */
  area: string;
  /** The highest figure. */
  top: number;
}

/** Room above the highest point and below the ground, so that the stroke is not cut, px. */
const MARGIN = 1.5;

/**
 * The trace of some points between two times in a box of so many pixels. It
 * begins at zero, and has a gap where points are further apart than `gap` ms.
 */
export function spark(
  points: readonly SparkPoint[],
  box: { width: number; height: number; from: number; to: number; gap: number },
): Spark {
  const { width, height, from, to, gap } = box;
  const shown = points.filter((p) => p.at >= from && p.at <= to && Number.isFinite(p.value));
  const top = shown.reduce((most, p) => Math.max(most, p.value), 0);
  const ground = height - MARGIN;
  const x = (at: number) => round(((at - from) / Math.max(to - from, 1)) * width);
  const y = (value: number) =>
    round(top === 0 ? ground : ground - (Math.max(value, 0) / top) * (ground - MARGIN));

  const pieces: SparkPoint[][] = [];
  let last = -Infinity;
  for (const p of shown) {
    if (p.at - last > gap) pieces.push([]);
    pieces.at(-1)?.push(p);
    last = p.at;
  }
  const traces = pieces.map((piece) => {
    const [first, ...rest] = piece.map((p) => `${x(p.at)} ${y(p.value)}`);
    // A point alone would have no length to be drawn.
    return rest.length === 0 ? `M${first ?? ''}h0.01` : `M${first ?? ''}L${rest.join('L')}`;
  });
  const areas = pieces.map((piece, i) => {
    const begin = piece[0]?.at ?? from;
    const end = piece.at(-1)?.at ?? from;
    return `${traces[i] ?? ''}L${x(end)} ${ground}L${x(begin)} ${ground}Z`;
  });
  return { line: traces.join(''), area: areas.join(''), top };
}

function round(n: number): number {
  return Math.round(n * 10) / 10;
}
