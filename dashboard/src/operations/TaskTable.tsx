import type { TaskInfo } from "../api/types";
import { formatCount, formatMoment } from "../model/format";
import { restoreShare, sortTasks, stateTone } from "./tasks";

function RestoreBar({ restore }: { restore: TaskInfo["restore"] }) {
  const share = restoreShare(restore);
  if (share === null || !restore) return <span className="quiet">–</span>;
  const percent = Math.floor(share * 100);
  return (
    <span className="restore">
      <span className="bar" role="progressbar" aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent} aria-label="Restored">
        <span style={{ width: `${share * 100}%` }} />
      </span>
      <span className="quiet">{percent} % of {formatCount(restore.total)}</span>
    </span>
  );
}

export function TaskTable({ tasks }: { tasks: readonly TaskInfo[] }) {
  return (
    <table className="table stacking" data-testid="tasks">
      <caption className="visually-hidden">Tasks, where they run and how far they are</caption>
      <thead>
        <tr><th scope="col">Application</th><th scope="col">Task</th><th scope="col">State</th><th scope="col">Role</th><th scope="col">Worker</th><th scope="col">Inputs</th><th scope="col">Stream time (UTC)</th><th scope="col" className="number">Lag</th><th scope="col">Restore</th></tr>
      </thead>
      <tbody>
        {sortTasks(tasks).map((task) => {
          const streamTime = task.stream_time ? Date.parse(task.stream_time) : NaN;
          return (
            <tr key={`${task.application} ${task.task} ${task.worker} ${task.role}`}>
              <td data-label="Application">{task.application}</td>
              <th scope="row" data-label="Task"><code>{task.task}</code></th>
              <td data-label="State"><span className={`state state-${stateTone(task.state)}`}><span className="dot" aria-hidden="true" />{task.state}</span></td>
              <td data-label="Role">{task.role}</td>
              <td data-label="Worker"><code>{task.worker}</code></td>
              <td data-label="Inputs">
                {(task.inputs ?? []).length === 0 ? <span className="quiet">–</span> : (task.inputs ?? []).map((input) => (
                  <span key={`${input.topic} ${input.partition}`} className="input" title={`offset ${input.offset ?? "unknown"} of ${input.end_offset ?? "unknown"}`}>
                    {input.topic}<span className="quiet"> · {input.partition}</span>
                  </span>
                ))}
              </td>
              <td data-label="Stream time">{Number.isFinite(streamTime) ? formatMoment(streamTime, "UTC") : <span className="quiet">none yet</span>}</td>
              <td data-label="Lag" className="number">{typeof task.lag === "number" ? formatCount(task.lag) : "–"}</td>
              <td data-label="Restore" className={task.restore ? "wide" : "nothing"}><RestoreBar restore={task.restore} /></td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
