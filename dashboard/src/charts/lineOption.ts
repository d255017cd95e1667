import type { Metric } from "../api/types";
import { formatDay, formatEstimate, formatTime } from "../model/format";
import type { Point } from "../model/points";
import { baseOption, countAxis, timeAxis, timeGrid, timePointer, tooltipStyle } from "./common";
import type { ChartOption } from "./echarts";
import type { Palette } from "./palette";
import { timeTicks } from "./ticks";

export interface LineView {
  metric: Metric;
  noun: string;
  points: readonly Point[];
  from: number;
  to: number;
  zone: string;
  color: string;
}

/** Width that one time label needs. */
const kLabelWidth = 48;
const kSymbolPointsMax = 40;

export function lineOption(view: LineView, palette: Palette, width: number): ChartOption {
  const { metric, points, from, to, zone, color } = view;
  const last = points[points.length - 1];
  const open = last !== undefined && last.end > to;
  const closed = open ? points.slice(0, -1) : points;
  const pair = (point: Point): [number, number] => [point.start, point[metric]];
  const before = closed[closed.length - 1];
  // The window that still grows is joined by a dashed line, so that its lower value does not read as a fall.
  const growing = open ? [...(before ? [before] : []), last] : [];
  const axisFrom = Math.min(from, points[0]?.start ?? from);
  const axisTo = Math.max(to, last?.start ?? to);
  const ticks = timeTicks(axisFrom, axisTo, Math.max(2, Math.floor((width - 56) / kLabelWidth)), zone);
  const long = axisTo - axisFrom > 20 * 3_600_000;
  const byStart = new Map(points.map((point) => [point.start, point]));
  return {
    ...baseOption(palette),
    grid: timeGrid,
    tooltip: {
      ...tooltipStyle(palette),
      trigger: "axis",
      axisPointer: timePointer(palette),
      formatter: (items: unknown) => {
        const first = (Array.isArray(items) ? items[0] : items) as { value?: [number, number] } | undefined;
        const point = first?.value ? byStart.get(first.value[0]) : undefined;
        if (!point) return "";
        const value = metric === "active_users" ? formatEstimate(point[metric], point.active_users_exact) : formatEstimate(point[metric], true);
        const span = `${formatTime(point.start, zone)}\u2013${formatTime(point.end, zone)}`;
        return `<span style="opacity:.75">${formatDay(point.start, zone)}, ${span}</span><br><b>${value}</b> ${view.noun}${point.end > to ? " so far" : ""}`;
      },
    },
    xAxis: timeAxis(palette, { min: axisFrom, max: axisTo, ticks, zone, days: long }),
    yAxis: countAxis(palette, points.length === 0),
    series: [
      {
        id: "closed", type: "line", data: closed.map(pair), color, symbol: "circle", symbolSize: 5,
        showSymbol: closed.length <= kSymbolPointsMax, lineStyle: { width: 2 }, areaStyle: { opacity: 0.07 }, emphasis: { disabled: true },
      },
      {
        id: "growing", type: "line", color, symbol: "circle", symbolSize: 7, z: 3,
        data: growing.map((point, index) => ({ value: pair(point), symbol: index === growing.length - 1 ? "circle" : "none" })),
        showSymbol: true, lineStyle: { width: 2, type: [4, 4], color }, areaStyle: { opacity: 0.04, color },
        itemStyle: { color: palette.surface, borderColor: color, borderWidth: 2 }, emphasis: { disabled: true },
      },
    ],
  };
}
