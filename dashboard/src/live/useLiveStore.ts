import { useRef, useState } from "react";
import { apiUrl } from "../api/client";
import { parseUpdate } from "./updates";
import { UpdateBuffer } from "./updateBuffer";
import { useEvents, type Events } from "./useEvents";

export interface LiveStore extends Events {
  buffer: UpdateBuffer;
  /** Grows by one with every batch of updates that is to be shown. */
  batch: number;
  /** Cities changed in that batch. */
  changed: ReadonlySet<string>;
}

export function useLiveStore(store: string): LiveStore {
  const held = useRef<UpdateBuffer>();
  const buffer = (held.current ??= new UpdateBuffer());
  const [shown, setShown] = useState<{ batch: number; changed: ReadonlySet<string> }>({ batch: 0, changed: new Set() });
  const take = (data: string) => {
    const update = parseUpdate(data, Date.now());
    if (update) buffer.add(update);
    return update !== null;
  };
  const show = () => {
    const changed = buffer.flush();
    setShown((old) => ({ batch: old.batch + 1, changed }));
  };
  const events = useEvents(apiUrl(`/stores/${encodeURIComponent(store)}/events`), take, show);
  return { ...events, buffer, ...shown };
}
