import { useEffect, useRef, useState } from "react";
import { apiUrl } from "../api/client";
import { EventStream, type StreamState } from "./eventStream";
import { kRedrawMs } from "./useLiveStore";

/** The latest value of one window of the key that is followed. */
export interface KeyUpdate {
  start: number;
  end: number;
  value: Record<string, unknown>;
  seenAt: number;
}

/** Windows that are remembered of one key; the oldest go first. */
export const kKeyUpdatesMax = 1_000;

export function parseKeyUpdate(data: string, seenAt: number): KeyUpdate | null {
  try {
    const { window, value } = JSON.parse(data) as { window?: { start?: unknown; end?: unknown } | null; value?: unknown };
    const start = Date.parse(String(window?.start));
    const end = Date.parse(String(window?.end));
    if (!Number.isFinite(start) || !Number.isFinite(end) || typeof value !== "object" || value === null) return null;
    return { start, end, value: value as Record<string, unknown>, seenAt };
  } catch {
    return null;
  }
}

export interface KeyEvents {
  state: StreamState;
  /** By window start. */
  updates: ReadonlyMap<number, KeyUpdate>;
  /** Grows with every batch of updates that is to be shown. */
  batch: number;
  /** Grows each time the stream comes back after it was down. */
  recovered: number;
}

/** Follows the changes of one key of a store; of nothing while the key is null. */
export function useKeyEvents(store: string, key: string | null): KeyEvents {
  const updates = useRef(new Map<number, KeyUpdate>());
  const [state, setState] = useState<StreamState>("connecting");
  const [batch, setBatch] = useState(0);
  const [recovered, setRecovered] = useState(0);

  useEffect(() => {
    updates.current = new Map();
    setState("connecting");
    if (key === null) return;
    const mine = updates.current;
    let timer: ReturnType<typeof setTimeout> | null = null;
    let lastFlush = 0;
    let wasDown = false;
    const flush = () => {
      timer = null;
      lastFlush = Date.now();
      setBatch((n) => n + 1);
    };
    const stream = new EventStream(apiUrl(`/stores/${encodeURIComponent(store)}/events`, { key }), {
      onUpdate: (data) => {
        const update = parseKeyUpdate(data, Date.now());
        if (!update) return;
        mine.set(update.start, update);
        if (mine.size > kKeyUpdatesMax) mine.delete(Math.min(...mine.keys()));
        timer ??= setTimeout(flush, Math.max(0, lastFlush + kRedrawMs - Date.now()));
      },
      onState: (next) => {
        setState(next);
        if (next === "live" && wasDown) setRecovered((n) => n + 1);
        wasDown = next !== "live";
      },
    });
    stream.start();
    return () => {
      stream.stop();
      if (timer) clearTimeout(timer);
    };
  }, [store, key]);

  return { state, updates: updates.current, batch, recovered };
}
