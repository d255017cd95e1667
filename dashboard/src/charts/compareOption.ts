import { formatCount, formatDay, formatTime } from "../model/format";
import type { SeriesPoint } from "../model/trends";
import { baseOption, countAxis, timeAxis, timeGrid, timePointer, tooltipStyle } from "./common";
import type { ChartOption } from "./echarts";
import { escapeHtml } from "./html";
import type { Palette } from "./palette";
import { timeTicks } from "./ticks";

export interface CompareView {
  series: readonly { name: string; color: string; points: readonly SeriesPoint[] }[];
  from: number;
  to: number;
  zone: string;
}

const kLabelWidth = 64;

/** Up to two lines over the same days. */
export function compareOption({ series, from, to, zone }: CompareView, palette: Palette, width: number): ChartOption {
  const first = series.reduce((least, { points }) => Math.min(least, points[0]?.start ?? least), from);
  const ticks = timeTicks(first, to, Math.max(2, Math.floor((width - 56) / kLabelWidth)), zone);
  const empty = series.every(({ points }) => points.length === 0);
  return {
    ...baseOption(palette),
    grid: timeGrid,
    tooltip: {
      ...tooltipStyle(palette),
      trigger: "axis",
      axisPointer: timePointer(palette),
      formatter: (items: unknown) => {
        const list = (Array.isArray(items) ? items : [items]) as { value?: [number, number]; seriesName?: string; color?: string }[];
        const at = list[0]?.value?.[0];
        if (at === undefined) return "";
        const lines = list.map((item) => `<br><span style="color:${item.color}">●</span> ${escapeHtml(item.seriesName ?? "")} <b>${formatCount(item.value?.[1] ?? 0)}</b>`);
        return `<span style="opacity:.75">${formatDay(at, zone)}, ${formatTime(at, zone)}</span>${lines.join("")}`;
      },
    },
    xAxis: timeAxis(palette, { min: first, max: to, ticks, zone, days: true }),
    yAxis: countAxis(palette, empty),
    series: series.map(({ name, color, points }, index) => ({
      id: `topic-${index}`, name, type: "line", color, symbol: "circle", symbolSize: 5, showSymbol: points.length <= 40,
      // The second line is dashed too: colour alone tells nobody apart who does not see it.
      lineStyle: { width: 2, type: index === 0 ? "solid" : [6, 4] }, emphasis: { disabled: true },
      data: points.map((point) => [point.start, point.count]),
    })),
  };
}
