import type { SentimentJoin } from "../api/types";
import { formatChange, formatNumber } from "../model/format";
import { baseOption, tooltipStyle } from "./common";
import type { ChartOption } from "./echarts";
import { escapeHtml } from "./html";
import type { Palette } from "./palette";

export type ScatterPoint = SentimentJoin["items"][number] & { day_change: number };

/** Days as points, sentiment across and the price's change up, with the fitted line. */
export function scatterOption(points: readonly ScatterPoint[], fit: SentimentJoin["fit"], palette: Palette): ChartOption {
  const xs = points.map((point) => point.sentiment);
  const ends = points.length > 0 ? [Math.min(...xs), Math.max(...xs)] : [];
  const empty = points.length === 0;
  const axis = (name: string) => ({
    type: "value" as const, name, nameLocation: "middle" as const, scale: true, min: empty ? -1 : undefined, max: empty ? 1 : undefined, splitNumber: 4,
    nameTextStyle: { color: palette.muted }, axisLine: { lineStyle: { color: palette.line } }, axisTick: { show: false },
    splitLine: { lineStyle: { color: palette.line } },
  });
  return {
    ...baseOption(palette),
    grid: { left: 66, right: 18, top: 12, bottom: 44 },
    tooltip: {
      ...tooltipStyle(palette),
      trigger: "item",
      formatter: (item: unknown) => {
        const point = points[(item as { dataIndex: number }).dataIndex];
        if (!point) return "";
        return `<span style="opacity:.75">${escapeHtml(point.user)}, ${escapeHtml(point.ticker)}, ${escapeHtml(point.date)}</span><br>sentiment <b>${formatNumber(point.sentiment)}</b><br>price <b>${formatChange(point.day_change)}</b>`;
      },
    },
    xAxis: { ...axis("Average sentiment of the day"), nameGap: 26, axisLabel: { color: palette.muted, formatter: formatNumber, hideOverlap: true } },
    yAxis: { ...axis("Change of the price"), nameGap: 50, axisLabel: { color: palette.muted, formatter: formatChange } },
    series: [
      { id: "days", type: "scatter", symbolSize: 8, color: palette.posts, itemStyle: { opacity: 0.7 }, data: points.map((point) => [point.sentiment, point.day_change]) },
      {
        id: "fit", type: "line", color: palette.retweets, symbol: "none", silent: true, lineStyle: { width: 2 }, tooltip: { show: false },
        data: fit ? ends.map((x) => [x, fit.intercept + fit.slope * x]) : [],
      },
    ],
  };
}

function heldOutSentence({ held_out }: SentimentJoin): string {
  if (!held_out) return "";
  const share = held_out.r_squared > 0 ? `${(held_out.r_squared * 100).toFixed(1)} % of the movement` : "nothing";
  return ` A line through the earlier days predicted ${share} on the ${held_out.pairs} days after them.`;
}

/** How much the sentiment explains, in a sentence. */
export function fitSentence(join: SentimentJoin): string {
  if (!join.fit || join.correlation === null) {
    return `${join.pairs} ${join.pairs === 1 ? "day has" : "days have"} both a sentiment and a price: too few, or too alike, for a line through them.`;
  }
  const direction = join.fit.slope >= 0 ? "rises" : "falls";
  return `Over ${join.pairs} days the sentiment explains ${(join.fit.r_squared * 100).toFixed(1)} % of how the price moved (correlation ${join.correlation.toFixed(2)}). ` +
    `With one more point of sentiment the price ${direction} by ${formatChange(Math.abs(join.fit.slope)).replace("+", "")}.` + heldOutSentence(join);
}
