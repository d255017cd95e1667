import type { MetricValues } from "../api/types";

/** One change of a windowed store, as it arrives by server-sent events. */
export interface WindowUpdate extends MetricValues {
  key: string;
  start: number;
  end: number;
  /** Local time of arrival. */
  seenAt: number;
}

const count = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : null;

/** Returns null for anything that is not a complete update: one bad event must not stop the stream. */
export function parseUpdate(data: string, seenAt: number): WindowUpdate | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof parsed !== "object" || parsed === null) return null;
  const { key, window, value } = parsed as { key?: unknown; window?: unknown; value?: unknown };
  if (typeof key !== "string" || typeof window !== "object" || window === null) return null;
  if (typeof value !== "object" || value === null) return null;
  const { start, end } = window as { start?: unknown; end?: unknown };
  const startMs = typeof start === "string" ? Date.parse(start) : NaN;
  const endMs = typeof end === "string" ? Date.parse(end) : NaN;
  if (!Number.isFinite(startMs) || !Number.isFinite(endMs)) return null;
  const fields = value as Record<string, unknown>;
  return {
    key,
    start: startMs,
    end: endMs,
    posts: count(fields.posts) ?? 0,
    retweets: count(fields.retweets) ?? 0,
    active_users: count(fields.active_users) ?? 0,
    active_users_exact: fields.active_users_exact !== false,
    seenAt,
  };
}
