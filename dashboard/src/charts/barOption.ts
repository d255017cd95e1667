import type { TopItem } from "../api/types";
import { formatCompact, formatCount } from "../model/format";
import { baseOption, tooltipStyle } from "./common";
import type { ChartOption } from "./echarts";
import { escapeHtml } from "./html";
import { mixColors } from "./mixColors";
import type { Palette } from "./palette";

export interface BarView {
  items: readonly TopItem[];
  noun: string;
  color: string;
  selected: string | null;
  /** Rows that the axis keeps free, so that bars do not change their thickness with the number of cities. */
  rows: number;
}

export function barOption(view: BarView, palette: Palette, width: number): ChartOption {
  const { items, noun, color, selected, rows } = view;
  const names = items.map((item) => item.city);
  while (names.length < rows) names.push("");
  const labelWidth = Math.round(Math.min(190, Math.max(96, width * 0.36)));
  const most = items.reduce((max, item) => Math.max(max, item.value), 0);
  // One city stands out only where it is among the five. The mixed colour is solid, so that grid lines do not shine through.
  const pickedOut = items.some((item) => item.city === selected);
  const dimmed = mixColors(color, palette.surface, 0.4);
  return {
    ...baseOption(palette),
    grid: { left: labelWidth + 12, right: 66, top: 6, bottom: 24 },
    tooltip: {
      ...tooltipStyle(palette),
      trigger: "item",
      formatter: (item: unknown) => {
        const { name, value } = item as { name: string; value: number };
        return `<span style="opacity:.75">${escapeHtml(name)}</span><br><b>${formatCount(value)}</b> ${noun}`;
      },
    },
    xAxis: {
      type: "value", min: 0, max: most === 0 ? 4 : undefined, minInterval: 1, splitNumber: 3,
      axisLabel: { color: palette.muted, formatter: formatCompact, hideOverlap: true },
      splitLine: { lineStyle: { color: palette.line } },
    },
    yAxis: {
      type: "category", inverse: true, data: names,
      axisLine: { lineStyle: { color: palette.line } },
      axisTick: { show: false },
      axisLabel: {
        interval: 0, width: labelWidth, overflow: "truncate", margin: 10,
        color: (name?: string | number) => (name !== undefined && name === selected ? palette.ink : palette.muted),
      },
    },
    series: [
      {
        id: "bars", type: "bar", color, barWidth: 16, cursor: "pointer",
        // A zero is a result too: it shows as a hairline on the axis.
        barMinHeight: 2,
        showBackground: false, itemStyle: { borderRadius: [0, 3, 3, 0] },
        label: { show: true, position: "right", color: palette.ink, formatter: (item: unknown) => formatCount((item as { value: number }).value) },
        data: items.map((item) => ({ name: item.city, value: item.value, itemStyle: { color: !pickedOut || item.city === selected ? color : dimmed } })),
      },
    ],
  };
}
