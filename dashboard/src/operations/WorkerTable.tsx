import type { RoutingWorker } from "../api/types";

const TaskList = ({ tasks }: { tasks: readonly string[] }) =>
  tasks.length === 0 ? <span className="quiet">none</span> : <span className="chips">{tasks.map((task) => <code key={task} className="chip">{task}</code>)}</span>;

export function WorkerTable({ workers }: { workers: readonly RoutingWorker[] }) {
  return (
    <table className="table stacking" data-testid="workers">
      <caption className="visually-hidden">Workers and their tasks</caption>
      <thead><tr><th scope="col">Application</th><th scope="col" className="number">Epoch</th><th scope="col">Worker</th><th scope="col">Endpoint</th><th scope="col">Active tasks</th><th scope="col">Standby tasks</th></tr></thead>
      <tbody>
        {workers.map((worker) => (
          <tr key={`${worker.application} ${worker.instance} ${worker.endpoint}`}>
            <td data-label="Application">{worker.application}</td>
            <td data-label="Epoch" className="number">{worker.epoch}</td>
            <th scope="row" data-label="Worker">{worker.instance}</th>
            <td data-label="Endpoint"><code>{worker.endpoint}</code></td>
            <td data-label="Active tasks" className="wide"><TaskList tasks={worker.active ?? []} /></td>
            <td data-label="Standby tasks" className="wide"><TaskList tasks={worker.standby ?? []} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
