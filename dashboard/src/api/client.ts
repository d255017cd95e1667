import { problemFromBody, problemFromError } from "./problem";

export const kApiBase = "/api/v1";
/** A request that has no answer by then is given up, so that a hung gateway shows as an error instead of a spinner. */
export const kRequestTimeoutMs = 20_000;

export type Query = Record<string, string | number | undefined>;

export function apiUrl(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  const encoded = parameters.toString();
  return `${kApiBase}${path}${encoded ? `?${encoded}` : ""}`;
}

/** GETs JSON. Rejects with a Problem; when the caller aborts, rejects with the AbortError itself. */
export async function getJson<T>(path: string, query: Query, signal: AbortSignal): Promise<T> {
  const controller = new AbortController();
  const onAbort = () => controller.abort();
  if (signal.aborted) controller.abort();
  signal.addEventListener("abort", onAbort);
  const timer = setTimeout(() => controller.abort(), kRequestTimeoutMs);
  try {
    const response = await fetch(apiUrl(path, query), {
      headers: { accept: "application/json, application/problem+json" },
      signal: controller.signal,
    });
    const body = await response.text();
    if (!response.ok) throw problemFromBody(response.status, body);
    return JSON.parse(body) as T;
  } catch (error) {
    if (signal.aborted) throw error;
    throw problemFromError(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
