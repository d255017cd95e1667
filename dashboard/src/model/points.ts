import type { CityMetrics, MetricValues } from "../api/types";
import type { WindowUpdate } from "../live/updates";

export interface Point extends MetricValues {
  start: number;
  end: number;
}

export function pointsFromAnswer(answer: CityMetrics): Point[] {
  return answer.points
    .map((point) => ({ ...point, start: Date.parse(point.start), end: Date.parse(point.end) }))
    .filter((point) => Number.isFinite(point.start) && Number.isFinite(point.end))
    .sort((a, b) => a.start - b.start);
}

/** Lays updates over points: an update replaces the point of its window or adds one. Windows before `from` are left out. */
export function applyUpdates(points: readonly Point[], updates: readonly WindowUpdate[], from: number): Point[] {
  const byStart = new Map<number, Point>();
  for (const point of points) if (point.start >= from) byStart.set(point.start, point);
  for (const update of updates) {
    if (update.start < from) continue;
    const { start, end, posts, retweets, active_users, active_users_exact } = update;
    byStart.set(start, { start, end, posts, retweets, active_users, active_users_exact });
  }
  return [...byStart.values()].sort((a, b) => a.start - b.start);
}

/** Windows that a line may have at most; beyond it gaps stay gaps. */
const kFilledPointsMax = 5_000;

/**
 * A window without posts has no entry in the store, so between two windows that have one it counts zero. Nothing is
 * invented before the first or after the last window, where the cause may also be that nothing was running.
 */
export function fillGaps(points: readonly Point[], windowMs: number): Point[] {
  const filled: Point[] = [];
  for (const point of points) {
    let previous = filled[filled.length - 1];
    while (previous && windowMs > 0 && filled.length < kFilledPointsMax && point.start - previous.start >= 2 * windowMs) {
      const start = previous.start + windowMs;
      previous = { start, end: start + windowMs, posts: 0, retweets: 0, active_users: 0, active_users_exact: true };
      filled.push(previous);
    }
    filled.push(point);
  }
  return filled;
}

export const sumOf = (points: readonly Point[], metric: "posts" | "retweets"): number =>
  points.reduce((sum, point) => sum + point[metric], 0);

export function samePoints(one: readonly Point[], other: readonly Point[]): boolean {
  if (one.length !== other.length) return false;
  return one.every((a, index) => {
    const b = other[index]!;
    return a.start === b.start && a.posts === b.posts && a.retweets === b.retweets && a.active_users === b.active_users && a.active_users_exact === b.active_users_exact;
  });
}
