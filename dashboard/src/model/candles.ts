import type { CandleSeries, CandleValues } from "../api/types";
import type { KeyUpdate } from "../live/useKeyEvents";

export interface Candle extends CandleValues {
  start: number;
  end: number;
}

const number = (value: unknown): number => (typeof value === "number" && Number.isFinite(value) ? value : 0);

export function candlesFromAnswer(answer: CandleSeries): Candle[] {
  return answer.candles
    .map((candle) => ({ ...candle, start: Date.parse(candle.start), end: Date.parse(candle.end) }))
    .filter((candle) => Number.isFinite(candle.start) && Number.isFinite(candle.end));
}

/**
 * Lays updates of stored candles over an answer; what began before `from` has left the range. They fit only where the answer's
 * candles are the stored ones: longer ones are made of several, which only the gateway has together.
 */
export function applyCandleUpdates(candles: readonly Candle[], updates: Iterable<KeyUpdate>, since: number, from: number): Candle[] {
  const byStart = new Map(candles.filter((candle) => candle.start >= from).map((candle) => [candle.start, candle]));
  for (const { start, end, value, seenAt } of updates) {
    if (seenAt < since || start < from) continue;
    byStart.set(start, {
      start, end, open: number(value.open), high: number(value.high), low: number(value.low), close: number(value.close),
      volume: number(value.volume), trades: number(value.trades),
    });
  }
  return [...byStart.values()].sort((a, b) => a.start - b.start);
}

/** (close - open) / open over all of them; null without any or without a price. */
export function changeOf(candles: readonly Candle[]): number | null {
  const first = candles[0];
  const last = candles[candles.length - 1];
  return first && last && first.open > 0 ? (last.close - first.open) / first.open : null;
}

export const kIntervals = [
  { id: "1m", label: "1 min", ms: 60_000 },
  { id: "5m", label: "5 min", ms: 300_000 },
  { id: "15m", label: "15 min", ms: 900_000 },
  { id: "1h", label: "1 h", ms: 3_600_000 },
] as const;
export type IntervalId = (typeof kIntervals)[number]["id"];

/** The candle length that fits the range where none was chosen: some 60 to 100 of them. */
export const defaultInterval = (rangeMs: number): IntervalId =>
  rangeMs <= 3_600_000 ? "1m" : rangeMs <= 6 * 3_600_000 ? "5m" : "15m";
