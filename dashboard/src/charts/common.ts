import { formatCompact, formatDay, formatTime } from "../model/format";
import type { Palette } from "./palette";

const calm = (): boolean => typeof matchMedia === "function" && matchMedia("(prefers-reduced-motion: reduce)").matches;

export const baseOption = (palette: Palette) => ({
  animation: !calm(),
  animationDuration: 250,
  animationDurationUpdate: 250,
  textStyle: { fontFamily: palette.font, color: palette.muted, fontSize: 12 },
});

export const tooltipStyle = (palette: Palette) => ({
  confine: true,
  backgroundColor: palette.surface,
  borderColor: palette.line,
  borderWidth: 1,
  padding: [8, 10],
  textStyle: { color: palette.ink, fontSize: 12, fontFamily: palette.font },
  extraCssText: "border-radius:8px;box-shadow:0 4px 16px rgb(0 0 0 / .12);",
  transitionDuration: 0,
});

/** The grid, and the dotted line at the pointer, of charts over time. */
export const timeGrid = { left: 4, right: 18, top: 12, bottom: 4, containLabel: true };
export const timePointer = (palette: Palette) => ({ type: "line" as const, lineStyle: { color: palette.muted, type: "dotted" as const, width: 1 } });

/** Time from `min` to `max` with labels at the ticks; midnights show the day where `days` says so. */
export const timeAxis = (palette: Palette, { min, max, ticks, zone, days }: { min: number; max: number; ticks: number[]; zone: string; days: boolean }) => ({
  type: "value" as const, min, max,
  axisLine: { lineStyle: { color: palette.line } },
  splitLine: { show: false },
  axisTick: { show: true, customValues: ticks, lineStyle: { color: palette.line } },
  axisLabel: {
    customValues: ticks, color: palette.muted, hideOverlap: true,
    formatter: (at: number) => {
      const time = formatTime(at, zone);
      return days && time === "00:00" ? formatDay(at, zone) : time;
    },
  },
  axisPointer: { snap: true, label: { show: false } },
});

/** Counts from zero. An empty chart has a scale all the same. */
export const countAxis = (palette: Palette, empty: boolean) => ({
  type: "value" as const, min: 0, max: empty ? 4 : undefined, minInterval: 1, splitNumber: 3,
  axisLine: { show: false }, axisTick: { show: false },
  axisLabel: { color: palette.muted, formatter: formatCompact },
  splitLine: { lineStyle: { color: palette.line } },
});
