import type { Problem } from "../api/problem";

/** A store that is not there means a pipeline that is not running: no failure of this system, and nothing to try again. */
export const isNotRunning = (problem: Problem | null): boolean => problem?.kind === "unknown-store";

/** Why a part of a page shows nothing, in a sentence; null when there is something to show. */
export function whyEmpty(resource: { data: unknown; problem: Problem | null; loading: boolean }, pipeline: string, isEmpty: boolean, empty: string): string | null {
  if (resource.loading) return "Loading…";
  if (isNotRunning(resource.problem)) return `The pipeline “${pipeline}” is not running here, so there is nothing to show yet.`;
  if (resource.data === null) return "This could not be loaded.";
  return isEmpty ? empty : null;
}

/** Those that a person can do something about. */
export const realProblems = (problems: readonly (Problem | null)[]): Problem[] =>
  problems.filter((problem): problem is Problem => problem !== null && !isNotRunning(problem) && !problem.kind.startsWith("unknown-"));
