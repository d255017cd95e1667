import type { Problem } from "../api/problem";

export function ProblemNote({ problem, onRetry }: { problem: Problem; onRetry?: () => void }) {
  return (
    <div className="problem" role="alert">
      <div>
        <p className="problem-title">{problem.title}{problem.status !== null && <span className="quiet"> ({problem.status})</span>}</p>
        {problem.detail && <p>{problem.detail}</p>}
        {problem.errors.length > 0 && (
          <ul>
            {problem.errors.map((error) => (
              <li key={`${error.parameter} ${error.message}`}>{error.parameter && <code>{error.parameter}</code>} {error.message}</li>
            ))}
          </ul>
        )}
      </div>
      {onRetry && <button type="button" className="button" onClick={onRetry}>Try again</button>}
    </div>
  );
}
