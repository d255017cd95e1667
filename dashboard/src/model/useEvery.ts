import { useEffect, useRef } from "react";

/** Runs the action in every interval while the page is in sight. */
export function useEvery(intervalMs: number, action: () => void): void {
  const latest = useRef(action);
  latest.current = action;
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && latest.current(), intervalMs);
    return () => clearInterval(timer);
  }, [intervalMs]);
}
