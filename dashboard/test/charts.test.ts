import { describe, expect, it } from "vitest";
import { barOption } from "../src/charts/barOption";
import { lineOption } from "../src/charts/lineOption";
import { mixColors } from "../src/charts/mixColors";
import type { Palette } from "../src/charts/palette";
import { barSummary, lineSummary } from "../src/charts/summary";
import type { Point } from "../src/model/points";

const palette: Palette = { ink: "#000000", muted: "#555555", line: "#dddddd", surface: "#ffffff", posts: "#0000ff", users: "#00ff00", retweets: "#ff0000", up: "#00aa00", down: "#aa0000", font: "sans" };
const kWindow = 300_000;
const point = (index: number, posts: number): Point => ({ start: index * kWindow, end: (index + 1) * kWindow, posts, retweets: 0, active_users: 1 });
const line = (points: Point[], to: number) =>
  lineOption({ metric: "posts", noun: "posts", points, from: 0, to, zone: "UTC", color: "#0000ff" }, palette, 400) as {
    series: { data: unknown[] }[]; xAxis: { min: number; max: number }; yAxis: { max?: number }; tooltip: { formatter: (items: unknown) => string };
  };

describe("line chart", () => {
  it("draws the window that still grows apart from the closed ones", () => {
    const option = line([point(0, 4), point(1, 6), point(2, 1)], 2.5 * kWindow);
    expect(option.series[0]!.data).toEqual([[0, 4], [kWindow, 6]]);
    expect(option.series[1]!.data).toHaveLength(2);
    expect(option.tooltip.formatter([{ value: [2 * kWindow, 1] }])).toContain("so far");
    expect(option.tooltip.formatter([{ value: [kWindow, 6] }])).not.toContain("so far");
  });
  it("draws only closed windows when none grows", () => {
    expect(line([point(0, 4), point(1, 6)], 2 * kWindow).series.map((series) => series.data.length)).toEqual([2, 0]);
  });
  it("keeps its axes without data", () => {
    const option = line([], 12 * kWindow);
    expect(option.xAxis).toMatchObject({ min: 0, max: 12 * kWindow });
    expect(option.yAxis.max).toBeGreaterThan(0);
  });
  it("is told in words", () => {
    expect(lineSummary("Posts", "Toronto", "posts", [point(0, 4), point(1, 16)], "UTC")).toBe(
      "Posts in Toronto, line chart of 2 windows. Latest 16 at 00:05, highest 16 at 00:05, lowest 4 at 00:00, times in UTC.");
    expect(lineSummary("Posts", "Toronto", "posts", [], "UTC")).toContain("without data");
  });
});

describe("bar chart", () => {
  const option = (items: { city: string; value: number }[], selected: string | null = null) =>
    barOption({ items, noun: "posts", color: "#0000ff", selected, rows: 5 }, palette, 400) as {
      yAxis: { data: string[] }; xAxis: { max?: number }; series: { data: { value: number; itemStyle: { color: string } }[] }[]; tooltip: { formatter: (item: unknown) => string };
    };
  it("keeps five rows and draws zeros", () => {
    const drawn = option([{ city: "a", value: 0 }, { city: "b", value: 0 }]);
    expect(drawn.yAxis.data).toEqual(["a", "b", "", "", ""]);
    expect(drawn.series[0]!.data).toHaveLength(2);
    expect(drawn.xAxis.max).toBeGreaterThan(0);
  });
  it("dims the others only when the chosen city is among them", () => {
    const colors = (selected: string) => option([{ city: "a", value: 2 }, { city: "b", value: 1 }], selected).series[0]!.data.map((bar) => bar.itemStyle.color);
    expect(colors("a")).toEqual(["#0000ff", mixColors("#0000ff", "#ffffff", 0.4)]);
    expect(colors("z")).toEqual(["#0000ff", "#0000ff"]);
  });
  it("escapes names in its tooltip", () => {
    expect(option([]).tooltip.formatter({ name: "<b>x", value: 1 })).toContain("&lt;b&gt;x");
  });
  it("is told in words", () => {
    expect(barSummary("Top 5", "posts", [{ city: "a", value: 1200 }])).toBe("Top 5, bar chart: a 1,200 posts.");
  });
});
