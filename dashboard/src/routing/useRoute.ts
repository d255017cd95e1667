import { useCallback, useMemo, useSyncExternalStore } from "react";
import { formatHash, parseHash, type Route } from "./hash";

/**
 * The address is the one place that holds the route. The browser tells of a change later, in a task of its own: a change
 * made here is told at once, so that a control never shows its old value after it was used.
 */
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("hashchange", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("hashchange", listener);
  };
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  return useMemo(() => parseHash(hash), [hash]);
}

/**
 * Changes parameters of `page` in the address, on top of what the address says now: of two changes made one right after
 * the other both stay. A value equal to its default is given as undefined and left out.
 */
export function useSetParameters(page: string): (changes: Record<string, string | undefined>) => void {
  return useCallback((changes) => {
    window.location.hash = formatHash(page, { ...parseHash(window.location.hash).parameters, ...changes });
    listeners.forEach((listener) => listener());
  }, [page]);
}
