import { afterEach, describe, expect, it, vi } from "vitest";
import { fetchTrends, submitRequest } from "../src/api/endpoints";
import { Problem, problemFromBody } from "../src/api/problem";
import type { CandleSeries, SentimentJoin, TrendHistory } from "../src/api/types";
import { candleOption, candleSummary } from "../src/charts/candleOption";
import { compareOption } from "../src/charts/compareOption";
import type { Palette } from "../src/charts/palette";
import { fitSentence, scatterOption } from "../src/charts/scatterOption";
import { parseKeyUpdate } from "../src/live/useKeyEvents";
import { applyCandleUpdates, candlesFromAnswer, changeOf, defaultInterval } from "../src/model/candles";
import { formatChange, formatNumber } from "../src/model/format";
import { compareSentence, formatScore, scoreOf, seriesOf } from "../src/model/trends";
import { cellsOf, kColumns, requestState, viewRangeOf } from "../src/model/views";
import { isNotRunning, realProblems, whyEmpty } from "../src/model/why";

const palette: Palette = { ink: "#000000", muted: "#555555", line: "#dddddd", surface: "#ffffff", posts: "#0000ff", users: "#00ff00", retweets: "#ff0000", up: "#00aa00", down: "#aa0000", font: "sans" };
const kHour = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();
const history = (topic: string, counts: [number, number][], role: TrendHistory["role"] = "asked"): TrendHistory => ({
  topic, role, seen: counts.length > 0, total: counts.reduce((sum, [, count]) => sum + count, 0), last_seen: null, slope: null,
  points: counts.map(([hour, count]) => ({ start: iso(hour * kHour), end: iso((hour + 1) * kHour), count })),
  ...(counts.length === 0 ? { message: `'${topic}' was not seen in 7 days.` } : {}),
});

afterEach(() => vi.unstubAllGlobals());

describe("trends", () => {
  it("counts zero where a topic did not occur between two periods in which it did", () => {
    expect(seriesOf(history("a", [[1, 5], [4, 2]]), kHour).map((point) => [point.start / kHour, point.count])).toEqual([[1, 5], [2, 0], [3, 0], [4, 2]]);
  });
  it("takes a day of 23 hours for a whole day", () => {
    const days = { ...history("a", []), points: [
      { start: "2026-03-07T00:00:00-05:00", end: "2026-03-08T00:00:00-05:00", count: 1 },
      { start: "2026-03-08T00:00:00-05:00", end: "2026-03-09T00:00:00-04:00", count: 2 },
      { start: "2026-03-09T00:00:00-04:00", end: "2026-03-10T00:00:00-04:00", count: 3 }] };
    expect(seriesOf(days, 24 * kHour).map((point) => point.count)).toEqual([1, 2, 3]);
  });
  it("says in a sentence how topics compare", () => {
    expect(compareSentence([history("a", [[1, 5]]), history("b", [[1, 1]], "hottest")])).toBe("“a” occurred 5 times, “b”, the most frequent topic, 1 time.");
    expect(compareSentence([history("a", []), history("b", [[1, 1]])])).toBe("'a' was not seen in 7 days.");
    expect(compareSentence([history("a", [[1, 1]])])).toContain("no other topic");
    expect(compareSentence([])).toBe("");
  });
  it("shows a fall with its sign and falls back to the first ranking", () => {
    expect(formatScore("slope", -2.5)).toBe("-2.5");
    expect(formatScore("slope", 3)).toBe("+3");
    expect(scoreOf("nonsense").id).toBe("decay");
  });
  it("asks for a source without what does not go with it", async () => {
    const fetch = vi.fn(async () => new Response("{}", { status: 200 }));
    vi.stubGlobal("fetch", fetch);
    await fetchTrends("slope", 5, { source: "web", place: "x" }, new AbortController().signal);
    expect((fetch.mock.calls[0] as unknown[])[0]).toBe("/api/v1/trends?source=web&n=5");
  });
  it("keeps its axes without data, and draws one line per topic", () => {
    const empty = compareOption({ series: [], from: 0, to: 24 * kHour, zone: "UTC" }, palette, 400) as { yAxis: { max?: number }; xAxis: { min: number } };
    expect(empty.yAxis.max).toBeGreaterThan(0);
    const drawn = compareOption({ series: [{ name: "<b>", color: "#0000ff", points: [{ start: 0, end: kHour, count: 3 }] }], from: 0, to: kHour, zone: "UTC" }, palette, 400) as {
      series: { data: unknown[] }[]; tooltip: { formatter: (items: unknown) => string } };
    expect(drawn.series[0]!.data).toEqual([[0, 3]]);
    expect(drawn.tooltip.formatter([{ value: [0, 3], seriesName: "<b>", color: "x" }])).toContain("&lt;b&gt;");
  });
});

describe("candles", () => {
  const candle = (minute: number, open: number, close: number) => ({ start: iso(minute * 60_000), end: iso((minute + 1) * 60_000), open, close, high: Math.max(open, close), low: Math.min(open, close), volume: 1, trades: 2 });
  const answer: CandleSeries = { symbol: "X", interval_ms: 60_000, from: iso(0), to: iso(180_000), candles: [candle(0, 10, 12), candle(2, 12, 9)], total: null };
  const update = (minute: number, close: number, seenAt: number) =>
    parseKeyUpdate(JSON.stringify({ window: { start: iso(minute * 60_000), end: iso((minute + 1) * 60_000) }, value: { open: 9, high: 20, low: 8, close, volume: 4, trades: 5 } }), seenAt)!;

  it("takes updates that are newer than the answer and inside the range", () => {
    const updates = [update(2, 15, 200), update(3, 16, 200), update(1, 11, 50), update(-5, 1, 200)];
    const merged = applyCandleUpdates(candlesFromAnswer(answer), updates, 100, 0);
    expect(merged.map((entry) => [entry.start / 60_000, entry.close])).toEqual([[0, 12], [2, 15], [3, 16]]);
    expect(changeOf(merged)).toBeCloseTo(0.6);
  });
  it("moves on: candles that began before the range are gone, also those of the answer", () => {
    const merged = applyCandleUpdates(candlesFromAnswer(answer), [update(3, 16, 200)], 100, 120_000);
    expect(merged.map((entry) => entry.start / 60_000)).toEqual([2, 3]);
  });
  it("passes over events that are none", () => {
    for (const data of ["", "null", "7", "{}", '{"window":null,"value":{}}', '{"window":{"start":"x","end":"y"},"value":{}}', `{"window":{"start":"${iso(0)}","end":"${iso(1)}"},"value":null}`]) {
      expect(parseKeyUpdate(data, 1)).toBeNull();
    }
  });
  it("draws open, close, low, high in the order that the chart wants", () => {
    const option = candleOption({ candles: candlesFromAnswer(answer), zone: "UTC" }, palette, 600) as { series: { type: string; data: unknown[] }[] };
    expect(option.series[0]).toMatchObject({ type: "candlestick", data: [[10, 12, 10, 12], [12, 9, 9, 12]] });
    expect(option.series[1]!.data).toHaveLength(2);
    expect(candleSummary("X", candlesFromAnswer(answer), "UTC")).toContain("Last price 9 at 00:02");
  });
  it("keeps its axes without data", () => {
    const option = candleOption({ candles: [], zone: "UTC" }, palette, 600) as { yAxis: { max?: number }[] };
    expect(option.yAxis.map((axis) => axis.max)).toEqual([4, 4]);
    expect(candleSummary("X", [], "UTC")).toContain("without data");
    expect(changeOf([])).toBeNull();
  });
  it("chooses longer candles for longer ranges", () => {
    expect([1, 3, 6, 24].map((hours) => defaultInterval(hours * kHour))).toEqual(["1m", "5m", "5m", "15m"]);
  });
});

describe("users and tickers", () => {
  it("shows what is there, and a dash for what is not", () => {
    expect(cellsOf({ posts: 1234, retweets: 0, favorites: null, sentiment_avg: -0.25 }, "user")).toEqual(["1,234", "0", "–", "–", "-0.25"]);
    expect(cellsOf(null, "ticker")).toHaveLength(kColumns.ticker.length);
    expect(cellsOf({ day_change: -0.0123 }, "ticker")).toContain("-1.23 %");
  });
  it("knows the states of a request", () => {
    expect(["requested", "computing", "ready", "failed", "odd"].map((state) => requestState(state).tone)).toEqual(["waiting", "waiting", "good", "down", "waiting"]);
    expect(viewRangeOf("x").id).toBe("week_with_today");
  });
  it("tells a new request from one that had been made", async () => {
    const fetch = vi.fn(async () => new Response('{"name":"alice","state":"requested"}', { status: 201 }));
    vi.stubGlobal("fetch", fetch);
    const answer = await submitRequest("user", "Alice");
    expect(answer.status).toBe(201);
    expect((fetch.mock.calls[0] as unknown[])[1]).toMatchObject({ method: "POST", body: '{"kind":"user","name":"Alice"}', headers: { "content-type": "application/json" } });
  });
});

describe("sentiment", () => {
  const join = (fit: SentimentJoin["fit"]): SentimentJoin => ({ user: null, ticker: null, days: 3, pairs: 3, correlation: fit ? -0.5 : null, fit, held_out: null, items: [] });
  it("says how much is explained", () => {
    expect(fitSentence(join({ slope: -0.02, intercept: 0.1, r_squared: 0.25 }))).toContain("explains 25.0 % of how the price moved (correlation -0.50)");
    expect(fitSentence(join({ slope: -0.02, intercept: 0.1, r_squared: 0.25 }))).toContain("falls by 2 %");
    expect(fitSentence(join(null))).toContain("too few");
  });
  it("says how well it predicts", () => {
    const predicted = (r_squared: number) => fitSentence({ ...join({ slope: 1, intercept: 0, r_squared: 0.5 }), held_out: { pairs: 7, r_squared } });
    expect(predicted(0.125)).toContain("predicted 12.5 % of the movement on the 7 days after them");
    expect(predicted(-3)).toContain("predicted nothing on the 7 days");
    expect(fitSentence(join({ slope: 1, intercept: 0, r_squared: 0.5 }))).not.toContain("predicted");
  });
  it("draws the line from the first to the last sentiment", () => {
    const point = (sentiment: number) => ({ user: "u", ticker: "T", date: "2026-01-01", sentiment, posts: 1, day_change: 0 });
    const option = scatterOption([point(-1), point(3)], { slope: 2, intercept: 1, r_squared: 1 }, palette) as { series: { data: unknown[] }[] };
    expect(option.series[1]!.data).toEqual([[-1, -1], [3, 7]]);
  });
});

describe("why a part is empty", () => {
  const missing = problemFromBody(404, '{"type":"urn:tailrace:problem:unknown-store","title":"Not found","status":404,"detail":"there is no store"}');
  it("says that a pipeline is not running instead of an error", () => {
    expect(isNotRunning(missing)).toBe(true);
    expect(whyEmpty({ data: null, problem: missing, loading: false }, "trends", false, "")).toContain("“trends” is not running");
    expect(realProblems([missing, null, new Problem("Down", 503, "")]).map((problem) => problem.title)).toEqual(["Down"]);
  });
  it("tells loading, failed, empty and shown apart", () => {
    expect(whyEmpty({ data: null, problem: null, loading: true }, "x", false, "e")).toBe("Loading…");
    expect(whyEmpty({ data: null, problem: new Problem("Down", 503, ""), loading: false }, "x", false, "e")).toContain("could not be loaded");
    expect(whyEmpty({ data: [], problem: null, loading: false }, "x", true, "e")).toBe("e");
    expect(whyEmpty({ data: [1], problem: null, loading: false }, "x", false, "e")).toBeNull();
  });
});

describe("numbers", () => {
  it("shows about four digits", () => {
    expect([0, 0.012345, 0.51239, 12.345, 1234.5, 61_234.56, 2.5e9].map(formatNumber)).toEqual(["0", "0.01235", "0.512", "12.35", "1,235", "61,235", "2.5B"]);
    expect([0.0125, -0.5, 0].map(formatChange)).toEqual(["+1.25 %", "-50 %", "0 %"]);
  });
});
