import { useRef, useState } from "react";
import { apiUrl } from "../api/client";
import { useEvents, type Events } from "./useEvents";

/** The latest value of one window of the key that is followed. */
export interface KeyUpdate {
  start: number;
  end: number;
  value: Record<string, unknown>;
  seenAt: number;
}

/** Windows that are remembered of one key; the oldest go first. More than the minutes of the longest range, a day. */
export const kKeyUpdatesMax = 1_500;

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

export interface KeyEvents extends Events {
  /** By window start. */
  updates: ReadonlyMap<number, KeyUpdate>;
  /** Grows with every batch of updates that is to be shown. */
  batch: number;
}

/** Follows the changes of one key of a store; of nothing while the key is null. */
export function useKeyEvents(store: string, key: string | null): KeyEvents {
  const url = key === null ? null : apiUrl(`/stores/${encodeURIComponent(store)}/events`, { key });
  const held = useRef({ url, updates: new Map<number, KeyUpdate>() });
  if (held.current.url !== url) held.current = { url, updates: new Map() };
  const { updates } = held.current;
  const [batch, setBatch] = useState(0);
  const take = (data: string) => {
    const update = parseKeyUpdate(data, Date.now());
    if (!update) return false;
    updates.set(update.start, update);
    if (updates.size > kKeyUpdatesMax) updates.delete(Math.min(...updates.keys()));
    return true;
  };
  const events = useEvents(url, take, () => setBatch((n) => n + 1));
  return { ...events, updates, batch };
}
