import { useCallback, useEffect, useRef } from "react";

/** Runs the action at most once per interval: calls in between are done once, at its end. */
export function useThrottled(intervalMs: number, action: () => void): () => void {
  const latest = useRef(action);
  latest.current = action;
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const lastRun = useRef(Date.now());
  useEffect(() => () => {
    if (timer.current) clearTimeout(timer.current);
    timer.current = null;
  }, []);
  return useCallback(() => {
    if (timer.current) return;
    const wait = Math.max(0, lastRun.current + intervalMs - Date.now());
    timer.current = setTimeout(() => {
      timer.current = null;
      lastRun.current = Date.now();
      latest.current();
    }, wait);
  }, [intervalMs]);
}
