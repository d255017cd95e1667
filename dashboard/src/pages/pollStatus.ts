import type { Resource } from "../api/useResource";
import type { Status } from "../components/StatusLine";
import { formatSeconds } from "../model/format";
import { isNotRunning } from "../model/why";

/** The status of a page that asks again and again. */
export function pollStatus(resource: Resource<unknown>, zone: string, how: string): Status {
  const at = resource.fetchedAt ? `updated ${formatSeconds(resource.fetchedAt, zone)}` : undefined;
  if (isNotRunning(resource.problem)) return { kind: "waiting", word: "not running" };
  if (resource.problem) return { kind: "down", word: "no connection", detail: at && `last ${at}` };
  if (!resource.data) return { kind: "waiting", word: "loading" };
  return { kind: "good", word: "refreshing", detail: at && `${how}, ${at}` };
}
