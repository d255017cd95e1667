import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EventStream, kPollAfterMs, kSilenceMs, type EventSourceLike, type StreamState } from "../src/live/eventStream";

class FakeSource implements EventSourceLike {
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  private listeners = new Map<string, (event: { data: string; lastEventId: string }) => void>();
  addEventListener(type: string, listener: (event: { data: string; lastEventId: string }) => void) {
    this.listeners.set(type, listener);
  }
  close() {
    this.closed = true;
    this.readyState = 2;
  }
  open() {
    this.readyState = 1;
    this.onopen?.();
  }
  /** The connection broke: the browser itself is trying again. */
  breakOff() {
    this.readyState = 0;
    this.onerror?.();
  }
  /** The server answered with an error: the browser has given up. */
  refuse() {
    this.readyState = 2;
    this.onerror?.();
  }
  send(type: string, data: string, lastEventId = "") {
    this.listeners.get(type)?.({ data, lastEventId });
  }
}

let sources: FakeSource[];
let states: StreamState[];
let updates: string[];
let gaps: number;
let stream: EventStream;
const newest = () => sources[sources.length - 1]!;

beforeEach(() => {
  vi.useFakeTimers();
  sources = [];
  states = [];
  updates = [];
  gaps = 0;
  stream = new EventStream("/events", { onUpdate: (data) => updates.push(data), onState: (state) => states.push(state), onGap: () => { gaps += 1; } }, () => {
    sources.push(new FakeSource());
    return newest();
  });
  stream.start();
});
afterEach(() => {
  stream.stop();
  vi.useRealTimers();
});

describe("EventStream", () => {
  it("says when the server left something out", () => {
    newest().open();
    newest().send("gap", "{}");
    expect(gaps).toBe(1);
    expect(states).toEqual(["live"]);
  });
  it("goes live and hands on updates", () => {
    newest().open();
    newest().send("update", "one", "1");
    expect(states).toEqual(["live"]);
    expect(updates).toEqual(["one"]);
  });

  it("leaves a broken connection to the browser, which resumes it by its last event id", () => {
    newest().open();
    newest().breakOff();
    vi.advanceTimersByTime(kPollAfterMs - 1);
    newest().open();
    vi.advanceTimersByTime(kPollAfterMs * 3);
    expect(states).toEqual(["live", "reconnecting", "live"]);
    expect(sources).toHaveLength(1);
  });

  it("opens a refused connection anew, later each time, and polls meanwhile", () => {
    newest().open();
    newest().refuse();
    expect(sources).toHaveLength(1);
    vi.advanceTimersByTime(1_000);
    expect(sources).toHaveLength(2);
    newest().refuse();
    vi.advanceTimersByTime(1_999);
    expect(sources).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(sources).toHaveLength(3);
    newest().refuse();
    vi.advanceTimersByTime(4_000);
    expect(states).toEqual(["live", "reconnecting", "polling"]);
    newest().open();
    expect(states).toEqual(["live", "reconnecting", "polling", "live"]);
  });

  it("polls when it never comes up", () => {
    vi.advanceTimersByTime(kPollAfterMs);
    expect(states).toEqual(["polling"]);
  });

  it("takes a stream whose heartbeats stop for dead, and a quiet one without heartbeats for quiet", () => {
    newest().open();
    vi.advanceTimersByTime(kSilenceMs * 2);
    expect(states).toEqual(["live"]);
    newest().send("heartbeat", "");
    vi.advanceTimersByTime(kSilenceMs - 1);
    expect(states).toEqual(["live"]);
    vi.advanceTimersByTime(1);
    expect(states).toEqual(["live", "reconnecting"]);
    expect(sources[0]!.closed).toBe(true);
    vi.advanceTimersByTime(1_000);
    expect(sources).toHaveLength(2);
    sources[0]!.send("update", "late");
    expect(updates).toEqual([]);
  });

  it("is silent after stop", () => {
    newest().open();
    newest().refuse();
    stream.stop();
    vi.advanceTimersByTime(60_000);
    expect(sources).toHaveLength(1);
    expect(states).toEqual(["live", "reconnecting"]);
  });
});
