import type { Metric, TopItem } from "../api/types";
import { formatCount, formatTime } from "../model/format";
import type { Point } from "../model/points";

/** One sentence for people who do not see the picture. */
export function lineSummary(title: string, city: string, metric: Metric, points: readonly Point[], zone: string): string {
  const last = points[points.length - 1];
  if (!last) return `${title}, line chart without data.`;
  let high = last;
  let low = last;
  for (const point of points) {
    if (point[metric] > high[metric]) high = point;
    if (point[metric] < low[metric]) low = point;
  }
  const at = (point: Point) => `${formatCount(point[metric])} at ${formatTime(point.start, zone)}`;
  return `${title} in ${city}, line chart of ${points.length} windows. Latest ${at(last)}, highest ${at(high)}, lowest ${at(low)}, times in ${zone}.`;
}

export function barSummary(title: string, noun: string, items: readonly TopItem[]): string {
  if (items.length === 0) return `${title}, bar chart without data.`;
  return `${title}, bar chart: ${items.map((item) => `${item.city} ${formatCount(item.value)} ${noun}`).join("; ")}.`;
}
