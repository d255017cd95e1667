import { describe, expect, it } from "vitest";
import { UpdateBuffer, kBufferedUpdatesMax } from "../src/live/updateBuffer";
import { parseUpdate, type WindowUpdate } from "../src/live/updates";
import { applyUpdates, fillGaps, pointsFromAnswer, samePoints, sumOf, type Point } from "../src/model/points";

const kWindow = 300_000;
const point = (index: number, posts: number): Point => ({
  start: index * kWindow, end: (index + 1) * kWindow, posts, retweets: 0, active_users: posts, active_users_exact: true,
});
const update = (key: string, index: number, posts: number): WindowUpdate => ({ key, seenAt: 0, ...point(index, posts) });

describe("updates", () => {
  it("reads an update", () => {
    const read = parseUpdate('{"store":"s","key":"Québec, Québec","window":{"start":"2026-01-01T00:00:00Z","end":"2026-01-01T00:05:00Z"},"value":{"posts":3,"retweets":1,"active_users":2}}', 9);
    expect(read).toEqual({ key: "Québec, Québec", start: Date.UTC(2026, 0, 1), end: Date.UTC(2026, 0, 1, 0, 5), posts: 3, retweets: 1, active_users: 2, active_users_exact: true, seenAt: 9 });
  });
  it.each(["", "null", "[]", '{"key":1}', '{"key":"a","window":null,"value":{}}', '{"key":"a","window":{"start":"x","end":"y"},"value":{}}',
    '{"key":"a","window":{"start":"2026-01-01T00:00:00Z","end":"2026-01-01T00:05:00Z"},"value":null}'])("leaves out %j", (data) => {
    expect(parseUpdate(data, 0)).toBeNull();
  });
  it("reads a count that is no count as zero", () => {
    const read = parseUpdate('{"key":"a","window":{"start":"2026-01-01T00:00:00Z","end":"2026-01-01T00:05:00Z"},"value":{"posts":-1,"retweets":"7"}}', 0);
    expect(read).toMatchObject({ posts: 0, retweets: 0, active_users: 0 });
  });
});

describe("UpdateBuffer", () => {
  it("keeps the latest of each window and says once what changed", () => {
    const buffer = new UpdateBuffer();
    buffer.add(update("a", 1, 1));
    buffer.add(update("a", 1, 5));
    buffer.add(update("b", 2, 1));
    expect([...buffer.flush()].sort()).toEqual(["a", "b"]);
    expect(buffer.flush().size).toBe(0);
    expect(buffer.updatesOf("a").map((entry) => entry.posts)).toEqual([5]);
    expect(buffer.keysSince(2 * kWindow)).toEqual(["b"]);
  });
  it("stays within its bound and keeps the newest windows", () => {
    const buffer = new UpdateBuffer();
    for (let i = 0; i <= kBufferedUpdatesMax; i += 1) buffer.add(update("a", i, i));
    expect(buffer.updatesOf("a").length).toBeLessThanOrEqual(kBufferedUpdatesMax);
    expect(buffer.updatesOf("a").some((entry) => entry.posts === kBufferedUpdatesMax)).toBe(true);
  });
});

describe("points", () => {
  it("come from an answer in time order, whatever the zone of its times", () => {
    const points = pointsFromAnswer({ city: "a", zone: "America/Toronto", window_ms: kWindow, from: "", to: "", total: { posts: 0, retweets: 0, active_users: 0 }, points: [
      { start: "2026-01-01T00:05:00-05:00", end: "2026-01-01T00:10:00-05:00", posts: 2, retweets: 0, active_users: 1 },
      { start: "2026-01-01T05:00:00Z", end: "2026-01-01T05:05:00Z", posts: 1, retweets: 0, active_users: 1 }] });
    expect(points.map((entry) => [entry.start, entry.posts])).toEqual([[Date.UTC(2026, 0, 1, 5), 1], [Date.UTC(2026, 0, 1, 5, 5), 2]]);
  });
  it("are replaced and added to by updates, and leave the range at its start", () => {
    const points = applyUpdates([point(0, 1), point(1, 2), point(2, 3)], [update("a", 2, 9), update("a", 3, 4), update("a", 0, 7)], kWindow);
    expect(points.map((entry) => entry.posts)).toEqual([2, 9, 4]);
    expect(sumOf(points, "posts")).toBe(15);
  });
  it("count zero in windows between, and nothing before or after", () => {
    expect(fillGaps([point(2, 5), point(5, 6)], kWindow).map((entry) => [entry.start / kWindow, entry.posts])).toEqual([[2, 5], [3, 0], [4, 0], [5, 6]]);
    expect(fillGaps([], kWindow)).toEqual([]);
    expect(fillGaps([point(2, 5), point(5, 6)], 0)).toHaveLength(2);
  });
  it("are the same when every number is", () => {
    expect(samePoints([point(1, 2)], [point(1, 2)])).toBe(true);
    expect(samePoints([point(1, 2)], [point(1, 3)])).toBe(false);
    expect(samePoints([point(1, 2)], [])).toBe(false);
    expect(samePoints([point(1, 2)], [{ ...point(1, 2), active_users_exact: false }])).toBe(false);
  });
});
