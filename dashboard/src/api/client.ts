import { problemFromBody, problemFromError } from "./problem";

export const kApiBase = "/api/v1";
/** A request that has no answer by then is given up, so that a hung gateway shows as an error instead of a spinner. */
export const kRequestTimeoutMs = 20_000;

const kAccept = "application/json, application/problem+json";

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
  return (await ask<T>(path, query, { headers: { accept: kAccept } }, signal)).body;
}

/** POSTs JSON and also says with which status it was answered: 201 is something new. */
export async function postJson<T>(path: string, body: unknown): Promise<{ status: number; body: T }> {
  const headers = { accept: kAccept, "content-type": "application/json" };
  return ask<T>(path, {}, { method: "POST", headers, body: JSON.stringify(body) }, new AbortController().signal);
}

async function ask<T>(path: string, query: Query, init: RequestInit, signal: AbortSignal): Promise<{ status: number; body: T }> {
  const controller = new AbortController();
  const onAbort = () => controller.abort();
  if (signal.aborted) controller.abort();
  signal.addEventListener("abort", onAbort);
  const timer = setTimeout(() => controller.abort(), kRequestTimeoutMs);
  try {
    const response = await fetch(apiUrl(path, query), { ...init, signal: controller.signal });
    const body = await response.text();
    if (!response.ok) throw problemFromBody(response.status, body);
    return { status: response.status, body: JSON.parse(body) as T };
  } catch (error) {
    if (signal.aborted) throw error;
    throw problemFromError(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
