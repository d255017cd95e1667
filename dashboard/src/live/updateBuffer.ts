import type { WindowUpdate } from "./updates";

/** Cities times windows that are remembered; the oldest arrivals go first. A day of 5-minute windows of 150 cities fits. */
export const kBufferedUpdatesMax = 50_000;

/**
 * Latest update per city and window. Events are collected here as they arrive and handed on by flush() at most once per
 * redraw interval, however many arrive. What was flushed is kept, so that an answer which was requested before an update
 * arrived can be brought up to date with it.
 */
export class UpdateBuffer {
  private readonly latest = new Map<string, Map<number, WindowUpdate>>();
  private size = 0;
  private dirty = new Set<string>();

  add(update: WindowUpdate): void {
    let windows = this.latest.get(update.key);
    if (!windows) {
      windows = new Map();
      this.latest.set(update.key, windows);
    }
    if (!windows.has(update.start)) this.size += 1;
    windows.set(update.start, update);
    this.dirty.add(update.key);
    if (this.size > kBufferedUpdatesMax) this.dropOldest();
  }

  /** Names of the cities changed since the last flush. */
  flush(): Set<string> {
    const changed = this.dirty;
    this.dirty = new Set();
    return changed;
  }

  updatesOf(key: string): WindowUpdate[] {
    return [...(this.latest.get(key)?.values() ?? [])];
  }

  /** Cities with an update for a window that starts at or after `from`. */
  keysSince(from: number): string[] {
    const keys: string[] = [];
    for (const [key, windows] of this.latest) {
      for (const start of windows.keys()) {
        if (start >= from) {
          keys.push(key);
          break;
        }
      }
    }
    return keys;
  }

  clear(): void {
    this.latest.clear();
    this.dirty.clear();
    this.size = 0;
  }

  private dropOldest(): void {
    const starts: number[] = [];
    for (const windows of this.latest.values()) starts.push(...windows.keys());
    starts.sort((a, b) => a - b);
    const keepFrom = starts[Math.floor(starts.length / 2)] ?? 0;
    for (const [key, windows] of this.latest) {
      for (const start of [...windows.keys()]) if (start < keepFrom) windows.delete(start);
      if (windows.size === 0) this.latest.delete(key);
    }
    this.size = 0;
    for (const windows of this.latest.values()) this.size += windows.size;
    // All windows may start at the same time: then nothing was dropped above, and starting over is the safe bound.
    if (this.size > kBufferedUpdatesMax) this.clear();
  }
}
