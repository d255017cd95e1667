import { useEffect, useRef, useState } from "react";
import { EventStream, type StreamState } from "./eventStream";

/** Charts are redrawn at most this often, however many events arrive. */
export const kRedrawMs = 1_000;

export interface Events {
  state: StreamState;
  /** Grows by one each time the stream comes back after it was down, or left updates out: what was missed has to be asked for. */
  recovered: number;
}

/**
 * Follows an event stream; none while `url` is null. `take` gets each event and says whether it is to be shown; `show` is then
 * called, at most once in kRedrawMs. A change of `url` begins anew.
 */
export function useEvents(url: string | null, take: (data: string) => boolean, show: () => void): Events {
  const [state, setState] = useState<StreamState>("connecting");
  const [recovered, setRecovered] = useState(0);
  const latest = useRef({ take, show });
  latest.current = { take, show };

  useEffect(() => {
    setState("connecting");
    if (url === null) return;
    let timer: ReturnType<typeof setTimeout> | null = null;
    let lastShown = 0;
    let wasDown = false;
    const flush = () => {
      timer = null;
      lastShown = Date.now();
      latest.current.show();
    };
    const stream = new EventStream(url, {
      onUpdate: (data) => {
        if (latest.current.take(data)) timer ??= setTimeout(flush, Math.max(0, lastShown + kRedrawMs - Date.now()));
      },
      onState: (next) => {
        setState(next);
        if (next === "live" && wasDown) setRecovered((n) => n + 1);
        wasDown = next !== "live";
      },
      onGap: () => setRecovered((n) => n + 1),
    });
    stream.start();
    return () => {
      stream.stop();
      if (timer) clearTimeout(timer);
    };
  }, [url]);

  return { state, recovered };
}
