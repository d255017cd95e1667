import { afterEach, describe, expect, it, vi } from "vitest";
import { apiUrl, getJson, kRequestTimeoutMs } from "../src/api/client";
import { fetchCityMetrics } from "../src/api/endpoints";
import { Problem, problemFromBody, problemFromError } from "../src/api/problem";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const answer = (status: number, body: string) => vi.fn(async () => new Response(body, { status }));
const signal = () => new AbortController().signal;

describe("requests", () => {
  it("leaves out parameters that are not given and encodes the rest", () => {
    expect(apiUrl("/cities/top", { by: "posts", n: 5, to: undefined, from: "2026-01-01T00:00:00Z" })).toBe(
      "/api/v1/cities/top?by=posts&n=5&from=2026-01-01T00%3A00%3A00Z",
    );
  });

  it("encodes a city's name as one part of the path", async () => {
    const fetch = answer(200, "{}");
    vi.stubGlobal("fetch", fetch);
    await fetchCityMetrics("Montréal, Québec/x", "2026-01-01T00:00:00Z", signal());
    expect((fetch.mock.calls[0] as unknown[])[0]).toBe(
      "/api/v1/cities/Montr%C3%A9al%2C%20Qu%C3%A9bec%2Fx/metrics?from=2026-01-01T00%3A00%3A00Z",
    );
  });

  it("rejects with all errors of a problem document", async () => {
    const body = JSON.stringify({ title: "Bad request", status: 400, detail: "2 parameters", errors: [
      { parameter: "from", message: "is after to" }, { parameter: "n", message: "must be positive" }, "junk", { parameter: "x" }] });
    vi.stubGlobal("fetch", answer(400, body));
    const problem = await getJson("/cities", {}, signal()).catch((error: unknown) => error as Problem);
    expect(problem).toMatchObject({ title: "Bad request", status: 400, detail: "2 parameters" });
    expect((problem as Problem).errors).toEqual([
      { parameter: "from", message: "is after to" }, { parameter: "n", message: "must be positive" }]);
  });

  it("gives up on a gateway that does not answer", async () => {
    vi.useFakeTimers();
    vi.stubGlobal("fetch", (_url: string, { signal: inner }: { signal: AbortSignal }) =>
      new Promise((_resolve, reject) => inner.addEventListener("abort", () => reject(new Error("aborted")))));
    const result = getJson("/cities", {}, signal()).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(kRequestTimeoutMs);
    expect(await result).toBeInstanceOf(Problem);
  });
});

describe("problems", () => {
  it("reads anything, also what is no problem document", () => {
    expect(problemFromBody(502, "<html>Bad gateway</html>").title).toContain("502");
    expect(problemFromBody(500, "null").title).toContain("500");
    expect(problemFromBody(500, '{"title":7}').title).toContain("500");
  });
  it("tells an unreachable gateway from an unreadable answer", () => {
    expect(problemFromError(new TypeError("fetch failed")).title).toContain("cannot be reached");
    expect(problemFromError(new SyntaxError("x")).title).toContain("could not be read");
  });
});
