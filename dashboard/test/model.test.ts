import { describe, expect, it } from "vitest";
import { escapeHtml } from "../src/charts/html";
import { timeTicks } from "../src/charts/ticks";
import { filterOptions } from "../src/components/filterOptions";
import { formatDuration, formatEstimate, formatTime, sortNames } from "../src/model/format";
import { rangeOf } from "../src/model/ranges";
import { isZone, zoneList, zoneOffsetMs } from "../src/model/zones";
import { formatHash, parseHash } from "../src/routing/hash";

const kHour = 3_600_000;

describe("address", () => {
  it("survives the way there and back", () => {
    const hash = formatHash("cities", { city: "St. John's, Newfoundland & Labrador", range: "3h", zone: undefined });
    expect(parseHash(hash)).toEqual({ page: "cities", parameters: { city: "St. John's, Newfoundland & Labrador", range: "3h" } });
  });
  it("reads an empty one as the start page", () => {
    for (const hash of ["", "#", "#/"]) expect(parseHash(hash)).toEqual({ page: "", parameters: {} });
  });
  it("falls back to the last hour", () => {
    expect(rangeOf("nonsense").id).toBe("1h");
    expect(rangeOf("24h").ms).toBe(24 * kHour);
  });
});

describe("zones", () => {
  it("offers UTC first, the browser's own second, each once", () => {
    const zones = zoneList("Europe/Zurich");
    expect(zones.slice(0, 2)).toEqual(["UTC", "Europe/Zurich"]);
    expect(new Set(zones).size).toBe(zones.length);
    expect(zoneList("UTC")[0]).toBe("UTC");
  });
  it("knows offsets, also those that are not whole hours", () => {
    expect(zoneOffsetMs(Date.UTC(2026, 0, 1), "America/St_Johns")).toBe(-3.5 * kHour);
    expect(zoneOffsetMs(Date.UTC(2026, 6, 1), "America/Toronto")).toBe(-4 * kHour);
    expect(isZone("Atlantis/Capital")).toBe(false);
  });
  it("puts ticks on round times of the zone", () => {
    const from = Date.UTC(2026, 0, 1, 0, 7);
    const ticks = timeTicks(from, from + 24 * kHour, 6, "Asia/Kathmandu");
    expect(ticks.length).toBeGreaterThan(2);
    expect(ticks.length).toBeLessThanOrEqual(6);
    for (const tick of ticks) expect(formatTime(tick, "Asia/Kathmandu")).toMatch(/:00$/);
  });
  it("keeps ticks round and in order across a clock change", () => {
    const from = Date.UTC(2026, 2, 8, 0, 0);
    const ticks = timeTicks(from, from + 24 * kHour, 13, "America/Toronto");
    for (const tick of ticks) expect(formatTime(tick, "America/Toronto")).toMatch(/:00$/);
    expect([...ticks].sort((a, b) => a - b)).toEqual(ticks);
  });
});

describe("texts", () => {
  it("sorts names with their accents and drops doubles", () => {
    expect(sortNames(["Zürich", "Ottawa", "Montréal, Québec", "Montreal, Quebec", "Ottawa", "Éclair"])).toEqual([
      "Éclair", "Montreal, Quebec", "Montréal, Québec", "Ottawa", "Zürich"]);
  });
  it("filters without regard to case, accents and underscores, word starts first", () => {
    const options = ["Trois-Rivières, Québec", "Montréal, Québec", "Ontario, California", "America/New_York"].map((value) => ({ value }));
    const found = (typed: string) => filterOptions(options, typed).map((option) => option.value);
    expect(found("QUEBEC")).toEqual(["Trois-Rivières, Québec", "Montréal, Québec"]);
    expect(found("new york")).toEqual(["America/New_York"]);
    expect(found("real")).toEqual(["Montréal, Québec"]);
    expect(found("rio")).toEqual(["Ontario, California"]);
    expect(found("xyz")).toEqual([]);
    expect(found("")).toHaveLength(4);
  });
  it("marks estimates", () => {
    expect(formatEstimate(1234, false)).toBe("≈ 1,234");
    expect(formatEstimate(1234, undefined)).toBe("1,234");
  });
  it("writes durations in the unit that fits", () => {
    expect([300_000, 900_000, 86_400_000, 5_400_000, 250].map(formatDuration)).toEqual(["5 min", "15 min", "1 d", "90 min", "250 ms"]);
  });
  it("does not let a name become markup", () => {
    expect(escapeHtml(`<img src=x onerror="a('b')">&`)).toBe("&lt;img src=x onerror=&quot;a(&#39;b&#39;)&quot;&gt;&amp;");
  });
});
