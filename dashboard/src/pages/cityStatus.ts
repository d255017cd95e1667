import type { Status } from "../components/StatusLine";
import type { StreamState } from "../live/eventStream";
import { formatSeconds } from "../model/format";

const kWords: Record<StreamState, Pick<Status, "kind" | "word">> = {
  connecting: { kind: "waiting", word: "connecting" },
  live: { kind: "good", word: "live" },
  reconnecting: { kind: "waiting", word: "reconnecting" },
  polling: { kind: "waiting", word: "polling" },
};

export function cityStatus(state: StreamState, updatedAt: number, zone: string, failing: boolean): Status {
  const at = updatedAt > 0 ? `updated ${formatSeconds(updatedAt, zone)}` : undefined;
  if (failing && state !== "live") return { kind: "down", word: "no connection", detail: at && `last ${at}` };
  const how = state === "polling" ? "every 15 s" : undefined;
  return { ...kWords[state], detail: [how, at].filter(Boolean).join(", ") || undefined };
}
