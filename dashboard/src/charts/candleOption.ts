import type { Candle } from "../model/candles";
import { formatChange, formatCompact, formatDay, formatNumber, formatTime } from "../model/format";
import { baseOption, tooltipStyle } from "./common";
import type { ChartOption } from "./echarts";
import { mixColors } from "./mixColors";
import type { Palette } from "./palette";

export interface CandleView {
  candles: readonly Candle[];
  zone: string;
}

/** Candles above, volume below, over one axis of trading times: times without a trade take no room. */
export function candleOption({ candles, zone }: CandleView, palette: Palette, width: number): ChartOption {
  const times = candles.map((candle) => String(candle.start));
  const many = Math.max(1, Math.floor((width - 80) / 60));
  const step = Math.max(1, Math.ceil(candles.length / many));
  const label = (start: string, index: number): string => {
    const at = Number(start);
    const day = formatDay(at, zone);
    const before = candles[index - step];
    return before && formatDay(before.start, zone) !== day ? day : formatTime(at, zone);
  };
  const axis = {
    type: "category" as const, data: times, boundaryGap: true,
    axisLine: { lineStyle: { color: palette.line } }, axisTick: { show: false }, splitLine: { show: false },
  };
  const empty = candles.length === 0;
  return {
    ...baseOption(palette),
    animation: false,
    grid: [
      { left: 60, right: 12, top: 10, height: "62%" },
      { left: 60, right: 12, top: "74%", bottom: 22 },
    ],
    axisPointer: { link: [{ xAxisIndex: "all" }] },
    tooltip: {
      ...tooltipStyle(palette),
      trigger: "axis",
      axisPointer: { type: "line", lineStyle: { color: palette.muted, type: "dotted", width: 1 } },
      formatter: (items: unknown) => {
        const first = (Array.isArray(items) ? items[0] : items) as { dataIndex?: number } | undefined;
        const candle = candles[first?.dataIndex ?? -1];
        if (!candle) return "";
        const row = (name: string, value: string) => `<br>${name} <b>${value}</b>`;
        const change = candle.open > 0 ? ` (${formatChange((candle.close - candle.open) / candle.open)})` : "";
        return `<span style="opacity:.75">${formatDay(candle.start, zone)}, ${formatTime(candle.start, zone)}–${formatTime(candle.end, zone)}</span>` +
          row("Open", formatNumber(candle.open)) + row("High", formatNumber(candle.high)) + row("Low", formatNumber(candle.low)) +
          row("Close", formatNumber(candle.close) + change) + row("Volume", formatNumber(candle.volume)) + row("Trades", formatNumber(candle.trades));
      },
    },
    xAxis: [
      { ...axis, gridIndex: 0, axisLabel: { show: false }, axisPointer: { label: { show: false } } },
      { ...axis, gridIndex: 1, axisLabel: { color: palette.muted, interval: (index: number) => index % step === 0, formatter: label, hideOverlap: true }, axisPointer: { label: { show: false } } },
    ],
    yAxis: [
      {
        type: "value", scale: !empty, min: empty ? 0 : undefined, max: empty ? 4 : undefined, gridIndex: 0, splitNumber: 4, axisLine: { show: false }, axisTick: { show: false },
        axisLabel: { color: palette.muted, formatter: formatNumber }, splitLine: { lineStyle: { color: palette.line } },
      },
      {
        type: "value", min: 0, max: empty ? 4 : undefined, gridIndex: 1, splitNumber: 2, axisLine: { show: false }, axisTick: { show: false },
        axisLabel: { color: palette.muted, formatter: formatCompact, hideOverlap: true }, splitLine: { lineStyle: { color: palette.line } },
      },
    ],
    series: [
      {
        id: "candles", type: "candlestick", xAxisIndex: 0, yAxisIndex: 0, barMaxWidth: 14,
        // Rising candles are hollow, so that they differ from falling ones without colour.
        itemStyle: { color: palette.surface, color0: palette.down, borderColor: palette.up, borderColor0: palette.down },
        data: candles.map((candle) => [candle.open, candle.close, candle.low, candle.high]),
      },
      {
        id: "volume", type: "bar", xAxisIndex: 1, yAxisIndex: 1, barMaxWidth: 14,
        data: candles.map((candle) => ({
          value: candle.volume, itemStyle: { color: mixColors(candle.close >= candle.open ? palette.up : palette.down, palette.surface, 0.35) },
        })),
      },
    ],
  };
}

/** One sentence for people who do not see the picture. */
export function candleSummary(symbol: string, candles: readonly Candle[], zone: string): string {
  const last = candles[candles.length - 1];
  if (!last) return `Candles of ${symbol}, chart without data.`;
  const high = candles.reduce((most, candle) => Math.max(most, candle.high), -Infinity);
  const low = candles.reduce((least, candle) => Math.min(least, candle.low), Infinity);
  return `Candles of ${symbol}, ${candles.length} of them. Last price ${formatNumber(last.close)} at ${formatTime(last.start, zone)}, highest ${formatNumber(high)}, lowest ${formatNumber(low)}, times in ${zone}.`;
}
