import type { Problem } from "../api/problem";
import { ProblemNote } from "./ProblemNote";

/** Each different problem once: when a gateway is down every request fails in the same way. */
export function distinctProblems(problems: readonly (Problem | null)[]): Problem[] {
  const byText = new Map<string, Problem>();
  for (const problem of problems) if (problem) byText.set(`${problem.status} ${problem.message} ${JSON.stringify(problem.errors)}`, problem);
  return [...byText.values()];
}

export function ProblemList({ problems, onRetry }: { problems: readonly (Problem | null)[]; onRetry: () => void }) {
  const shown = distinctProblems(problems);
  if (shown.length === 0) return null;
  return (
    <div className="banner">
      {shown.map((problem, index) => <ProblemNote key={problem.message} problem={problem} onRetry={index === 0 ? onRetry : undefined} />)}
    </div>
  );
}
