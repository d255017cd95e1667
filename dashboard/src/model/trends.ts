import type { TrendHistory, TrendItem, TrendScore } from "../api/types";
import { formatCount, formatNumber } from "./format";

export const kScores: readonly { id: TrendScore; label: string; hint: string; column: string; empty: string }[] = [
  { id: "decay", label: "Hot", hint: "How often lately: older mentions fade", column: "Heat", empty: "No words have been counted lately." },
  { id: "slope", label: "Rising", hint: "How much more often than in the period before", column: "Change", empty: "Nothing to compare yet: no word occurred both in this period and in the one before." },
  { id: "count", label: "Most", hint: "How often in the last hour", column: "Mentions", empty: "No words have been counted in the last hour." },
];
export const scoreOf = (id: string | undefined): (typeof kScores)[number] => kScores.find((score) => score.id === id) ?? kScores[0]!;

export const formatScore = (score: TrendScore, value: number): string =>
  score === "slope" ? `${value > 0 ? "+" : ""}${formatNumber(value)}` : score === "count" ? formatCount(value) : formatNumber(value);

/** What follows the score: how often a word occurred, where that is something else. */
export const mentionsOf = (item: TrendItem): string => formatCount(item.count);

export interface SeriesPoint {
  start: number;
  end: number;
  count: number;
}

/** A history with a zero for every period in between in which the topic did not occur. */
export function seriesOf(history: TrendHistory, periodMs: number): SeriesPoint[] {
  const kPointsMax = 5_000;
  const points: SeriesPoint[] = [];
  for (const { start, end, count } of history.points) {
    const at = Date.parse(start);
    let previous = points[points.length - 1];
    // A day of the zone may have 23 or 25 hours, so a gap is one that is clearly longer than a period.
    while (previous && at - previous.end >= periodMs * 0.75 && points.length < kPointsMax) {
      previous = { start: previous.end, end: previous.end + periodMs, count: 0 };
      points.push(previous);
    }
    points.push({ start: at, end: Date.parse(end), count });
  }
  return points;
}

/** Who leads, in a sentence. */
export function compareSentence(histories: readonly TrendHistory[]): string {
  const [one, other] = histories;
  if (!one) return "";
  if (!one.seen) return one.message ?? `“${one.topic}” was not seen.`;
  const times = (count: number) => `${formatCount(count)} ${count === 1 ? "time" : "times"}`;
  if (!other) return `“${one.topic}” occurred ${times(one.total)}; there is no other topic to compare it with.`;
  const role = other.role === "hottest" ? ", the most frequent topic," : "";
  return `“${one.topic}” occurred ${times(one.total)}, “${other.topic}”${role} ${other.seen ? times(other.total) : "not at all"}.`;
}
