import { useEffect, useRef, useState } from "react";
import { apiUrl } from "../api/client";
import { EventStream, type StreamState } from "./eventStream";
import { parseUpdate } from "./updates";
import { UpdateBuffer } from "./updateBuffer";

/** Charts are redrawn at most this often, however many events arrive. */
export const kRedrawMs = 1_000;

export interface LiveStore {
  state: StreamState;
  buffer: UpdateBuffer;
  /** Grows by one with every batch of updates that is to be shown. */
  batch: number;
  /** Cities changed in that batch. */
  changed: ReadonlySet<string>;
  /** Grows by one each time the stream comes back after it was down: what was missed has to be asked for. */
  recovered: number;
}

export function useLiveStore(store: string): LiveStore {
  const buffer = useRef<UpdateBuffer>();
  buffer.current ??= new UpdateBuffer();
  const [state, setState] = useState<StreamState>("connecting");
  const [recovered, setRecovered] = useState(0);
  const [shown, setShown] = useState<{ batch: number; changed: ReadonlySet<string> }>({ batch: 0, changed: new Set() });

  useEffect(() => {
    const updates = buffer.current!;
    let timer: ReturnType<typeof setTimeout> | null = null;
    let lastFlush = 0;
    let wasDown = false;
    const flush = () => {
      timer = null;
      lastFlush = Date.now();
      const changed = updates.flush();
      setShown((old) => ({ batch: old.batch + 1, changed }));
    };
    const stream = new EventStream(apiUrl(`/stores/${encodeURIComponent(store)}/events`), {
      onUpdate: (data) => {
        const update = parseUpdate(data, Date.now());
        if (!update) return;
        updates.add(update);
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
  }, [store]);

  return { state, buffer: buffer.current, ...shown, recovered };
}
