/** An error a person can read: made from problem+json when the gateway sent it, and from the failure itself otherwise. */
export class Problem extends Error {
  readonly title: string;
  readonly status: number | null;
  readonly detail: string;
  readonly errors: { parameter: string; message: string }[];
  /** What kind of problem the gateway named, such as "unknown-store"; empty when it named none. */
  readonly kind: string;

  constructor(title: string, status: number | null, detail: string, errors: { parameter: string; message: string }[] = [], kind = "") {
    super(detail ? `${title}: ${detail}` : title);
    this.name = "Problem";
    this.title = title;
    this.status = status;
    this.detail = detail;
    this.errors = errors;
    this.kind = kind;
  }
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

export function problemFromBody(status: number, body: string): Problem {
  const fallback = `The gateway answered with status ${status}`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return new Problem(fallback, status, status >= 500 ? "It may be starting or have lost its workers." : "");
  }
  if (typeof parsed !== "object" || parsed === null) return new Problem(fallback, status, "");
  const fields = parsed as Record<string, unknown>;
  const errors = Array.isArray(fields.errors)
    ? fields.errors
        .filter((entry): entry is Record<string, unknown> => typeof entry === "object" && entry !== null)
        .map((entry) => ({ parameter: text(entry.parameter), message: text(entry.message) }))
        .filter((entry) => entry.message !== "")
    : [];
  return new Problem(text(fields.title) || fallback, status, text(fields.detail), errors, text(fields.type).replace(/^urn:tailrace:problem:/, ""));
}

export function problemFromError(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof SyntaxError) {
    return new Problem("The answer could not be read", null, "The gateway sent something that is not JSON.");
  }
  return new Problem("The gateway cannot be reached", null, "Check that it is running; this page tries again by itself.");
}
