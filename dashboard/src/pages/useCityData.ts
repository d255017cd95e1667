import { useEffect, useMemo, useRef, useState } from "react";
import { fetchCities, fetchCityMetrics, fetchTop, kCityStore } from "../api/endpoints";
import type { Order } from "../api/types";
import { useResource } from "../api/useResource";
import { useLiveStore } from "../live/useLiveStore";
import { sortNames } from "../model/format";
import { applyUpdates, fillGaps, pointsFromAnswer, samePoints } from "../model/points";
import type { Range } from "../model/ranges";
import { useNow } from "../model/useNow";
import { useThrottled } from "./useThrottled";

export const kTopCount = 5;
export const kPollMs = 15_000;
/** Rankings need the gateway's merge over all windows: asked for again at most this often while updates arrive. */
const kRankingMs = 5_000;
/** Distinct users over several windows are not the sum of the windows either. */
const kTotalMs = 15_000;
const kClockStepMs = 5_000;
const kDefaultWindowMs = 300_000;
/** Smaller differences between this clock and the gateway's are the time of the answer's way. */
const kSkewIgnoredMs = 3_000;

interface Choice {
  city: string | undefined;
  range: Range;
  worstOrder: Order;
}

/** Everything the Cities page shows: snapshots by request, kept up to date by the live stream. */
export function useCityData({ city: chosen, range, worstOrder }: Choice) {
  const live = useLiveStore(kCityStore);
  const localNow = useNow(kClockStepMs);
  const skew = useRef(0);
  const since = () => new Date(Date.now() + skew.current - range.ms).toISOString();

  const cities = useResource(range.id, (signal) => fetchCities(since(), signal));
  const top = useResource(range.id, (signal) => fetchTop("posts", "desc", kTopCount, since(), signal));
  const worst = useResource(`${range.id} ${worstOrder}`, (signal) => fetchTop("retweets", worstOrder, kTopCount, since(), signal));

  // Without a choice the most active city is shown, and kept while others overtake it: a page that jumps is hard to read.
  const [automatic, setAutomatic] = useState<{ range: string; city: string } | null>(null);
  const leader = top.data?.items[0]?.city;
  useEffect(() => {
    if (!chosen && leader && automatic?.range !== range.id) setAutomatic({ range: range.id, city: leader });
  }, [chosen, leader, automatic, range.id]);
  const city = chosen ?? automatic?.city ?? null;

  const metrics = useResource(city === null ? null : `${range.id} ${city}`, (signal) => fetchCityMetrics(city ?? "", since(), signal));

  const answeredAt = top.fetchedAt;
  const serverTo = top.data ? Date.parse(top.data.to) : NaN;
  if (answeredAt !== null && Number.isFinite(serverTo)) {
    const difference = serverTo - answeredAt;
    skew.current = Math.abs(difference) < kSkewIgnoredMs ? 0 : difference;
  }

  // Kept while another city is asked for: the windows are those of the store, not of the city.
  const windowSize = useRef(kDefaultWindowMs);
  if (metrics.data?.window_ms) windowSize.current = metrics.data.window_ms;
  const windowMs = windowSize.current;
  const now = localNow + skew.current;
  const currentWindow = Math.floor(now / windowMs) * windowMs;
  // Windows that reach into the range are shown, also the first one of which a part lies before it.
  const from = Math.floor((now - range.ms) / windowMs) * windowMs;

  const { buffer, batch, changed, recovered, state } = live;
  const fresh = useMemo(() => {
    if (city === null || !metrics.data) return [];
    const base = pointsFromAnswer(metrics.data);
    const firstOfAnswer = Date.parse(metrics.data.from);
    // The answer decides which windows belong to the range; updates add to it only what is newer than the answer.
    const updates = buffer.updatesOf(city).filter((update) => update.seenAt >= metrics.requestedAt && update.end > firstOfAnswer);
    return fillGaps(applyUpdates(base, updates, from), windowMs);
    // `batch` stands for the buffer's content.
  }, [city, metrics.data, metrics.requestedAt, from, windowMs, buffer, batch]);

  // An answer that says what the updates had said already is no reason to draw again.
  const drawn = useRef(fresh);
  if (drawn.current !== fresh && !samePoints(drawn.current, fresh)) drawn.current = fresh;
  const points = drawn.current;

  const names = useMemo(
    () => sortNames([...(cities.data?.items ?? []), ...buffer.keysSince(from)]),
    [cities.data, from, buffer, batch],
  );

  const reloadRankings = useThrottled(kRankingMs, () => {
    top.reload();
    worst.reload();
  });
  const reloadTotal = useThrottled(kTotalMs, metrics.reload);
  const reloadAll = () => {
    cities.reload();
    top.reload();
    worst.reload();
    metrics.reload();
  };
  const reloadAllRef = useRef(reloadAll);
  reloadAllRef.current = reloadAll;

  useEffect(() => {
    if (batch === 0) return;
    reloadRankings();
    if (city !== null && changed.has(city)) reloadTotal();
  }, [batch]);

  // A new window moves every range; an interruption may have hidden anything.
  const seen = useRef({ currentWindow, recovered });
  useEffect(() => {
    if (seen.current.currentWindow === currentWindow && seen.current.recovered === recovered) return;
    seen.current = { currentWindow, recovered };
    reloadAllRef.current();
  }, [currentWindow, recovered]);

  // Without the stream everything is asked for in turns; with it, only what failed would otherwise stay away.
  const polling = state === "polling";
  const failing = [cities, top, worst, metrics].some((resource) => resource.problem !== null);
  useEffect(() => {
    if (!polling && !failing) return;
    const poll = () => document.visibilityState === "visible" && reloadAllRef.current();
    if (polling) poll();
    const timer = setInterval(poll, kPollMs);
    return () => clearInterval(timer);
  }, [polling, failing]);

  const updatedAt = Math.max(metrics.fetchedAt ?? 0, top.fetchedAt ?? 0, points.length > 0 ? newestOf(buffer, city) : 0);
  return { city, names, cities, top, worst, metrics, points, windowMs, from, currentWindow, reloadAll, state, updatedAt };
}

function newestOf(buffer: ReturnType<typeof useLiveStore>["buffer"], city: string | null): number {
  if (city === null) return 0;
  return buffer.updatesOf(city).reduce((newest, update) => Math.max(newest, update.seenAt), 0);
}
