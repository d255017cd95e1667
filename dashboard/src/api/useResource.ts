import { useCallback, useEffect, useRef, useState } from "react";
import { problemFromError, type Problem } from "./problem";

export interface Resource<T> {
  data: T | null;
  problem: Problem | null;
  /** True until the first answer, good or bad, for the current key. */
  loading: boolean;
  /** Local time of the last good answer; null before it. */
  fetchedAt: number | null;
  /** Local time at which the request behind `data` was sent: updates seen after it are newer than the answer. */
  requestedAt: number;
  reload: () => void;
}

interface State<T> extends Omit<Resource<T>, "reload"> {
  key: string | null;
}

/**
 * Keeps the answer of one request. A changed key drops the old answer; reload() asks again and keeps the old answer on
 * screen meanwhile, and also when the new request fails. At most one request is under way; a reload asked for during a
 * request is done once after it.
 */
export function useResource<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const empty = (forKey: string | null): State<T> => ({
    key: forKey, data: null, problem: null, loading: forKey !== null, fetchedAt: null, requestedAt: 0,
  });
  const [state, setState] = useState<State<T>>(() => empty(key));
  const loadRef = useRef(load);
  loadRef.current = load;
  const running = useRef<AbortController | null>(null);
  const again = useRef(false);

  const start = useCallback(() => {
    if (key === null) return;
    if (running.current) {
      again.current = true;
      return;
    }
    const controller = new AbortController();
    running.current = controller;
    const requestedAt = Date.now();
    loadRef
      .current(controller.signal)
      .then(
        (data) => {
          if (controller.signal.aborted) return;
          setState({ key, data, problem: null, loading: false, fetchedAt: Date.now(), requestedAt });
        },
        (error: unknown) => {
          if (controller.signal.aborted) return;
          setState((old) => ({ ...(old.key === key ? old : empty(key)), problem: problemFromError(error), loading: false }));
        },
      )
      .finally(() => {
        if (running.current !== controller) return;
        running.current = null;
        if (again.current) {
          again.current = false;
          start();
        }
      });
  }, [key]);

  useEffect(() => {
    start();
    return () => {
      running.current?.abort();
      running.current = null;
      again.current = false;
    };
  }, [start]);

  const shown = state.key === key ? state : empty(key);
  return { ...shown, reload: start };
}
