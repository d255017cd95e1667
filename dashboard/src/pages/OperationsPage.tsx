import { useEffect, useState } from "react";
import { fetchRouting, fetchStores, fetchTasks, fetchTopology } from "../api/endpoints";
import { useResource } from "../api/useResource";
import { ProblemList } from "../components/ProblemList";
import { StatusLine, type Status } from "../components/StatusLine";
import { formatCount, formatSeconds } from "../model/format";
import { useEvery } from "../model/useEvery";
import { RestoreProgress } from "../operations/RestoreProgress";
import { Section } from "../operations/Section";
import { StoreTable } from "../operations/StoreTable";
import { TaskTable } from "../operations/TaskTable";
import { taskTotals } from "../operations/tasks";
import { TopologyGraph } from "../operations/TopologyGraph";
import { WorkerTable } from "../operations/WorkerTable";

const kTasksMs = 5_000;
/** The topology and the stores change only with a deployment. */
const kTopologyMs = 60_000;
/** The sections appear together, so that none pushes another aside; a slow answer holds the others up no longer than this. */
const kTogetherMs = 1_500;

function useElapsed(ms: number): boolean {
  const [elapsed, setElapsed] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setElapsed(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return elapsed;
}

const Fact = ({ name, value }: { name: string; value: string }) => (
  <div className="fact"><dt>{name}</dt><dd>{value}</dd></div>
);

export default function OperationsPage() {
  const tasks = useResource("tasks", fetchTasks);
  const routing = useResource("routing", fetchRouting);
  const topology = useResource("topology", fetchTopology);
  const stores = useResource("stores", fetchStores);
  useEvery(kTasksMs, () => {
    tasks.reload();
    routing.reload();
  });
  useEvery(kTopologyMs, () => {
    topology.reload();
    stores.reload();
  });

  const waitedEnough = useElapsed(kTogetherMs);
  const shown = waitedEnough || ![tasks, routing, topology, stores].some((resource) => resource.loading);
  const totals = tasks.data ? taskTotals(tasks.data.items) : null;
  const at = tasks.fetchedAt ? `updated ${formatSeconds(tasks.fetchedAt, "UTC")} UTC` : undefined;
  const status: Status = tasks.problem
    ? { kind: "down", word: "no connection", detail: at && `last ${at}` }
    : { kind: tasks.data ? "good" : "waiting", word: tasks.data ? "refreshing" : "loading", detail: at && `every 5 s, ${at}` };
  return (
    <>
      <div className="page-head">
        <div>
          <h1>Operations</h1>
          <p className="lede">What runs where, and how far it is</p>
        </div>
        <StatusLine status={status} />
      </div>

      <ProblemList
        problems={[tasks.problem, routing.problem, topology.problem, stores.problem]}
        onRetry={() => [tasks, routing, topology, stores].forEach((resource) => resource.reload())}
      />
      {!shown ? (
        <p className="quiet">Loading…</p>
      ) : (
        <>
          <dl className="facts" aria-label="Summary">
            <Fact name="Workers" value={routing.data ? formatCount(new Set(routing.data.workers.map((worker) => worker.endpoint)).size) : "–"} />
            <Fact name="Tasks running" value={totals ? `${formatCount(totals.running)} of ${formatCount(totals.tasks)}` : "–"} />
            <Fact name="Restoring" value={totals ? formatCount(totals.restoring) : "–"} />
            <Fact name="Records behind" value={totals && totals.lag !== null ? formatCount(totals.lag) : "–"} />
            <Fact name="Applications" value={routing.data ? formatCount(new Set(routing.data.workers.map((worker) => worker.application)).size) : "–"} />
          </dl>

          {tasks.data && <RestoreProgress tasks={tasks.data.items} at={tasks.fetchedAt ?? 0} />}

          <Section title="Topology" resource={topology} isEmpty={(data) => data.subtopologies.length === 0} emptyText="No topology yet: no worker has reported one.">
            {(data) => <TopologyGraph topology={data} />}
          </Section>
          <Section title="Tasks" resource={tasks} isEmpty={(data) => data.items.length === 0} emptyText="No tasks: no worker has been given one yet.">
            {(data) => <TaskTable tasks={data.items} />}
          </Section>
          <div className="grid halves">
            <Section title="Workers" resource={routing} isEmpty={(data) => data.workers.length === 0} emptyText="No worker is known to the gateway.">
              {(data) => <WorkerTable workers={data.workers} />}
            </Section>
            <Section title="Stores" resource={stores} isEmpty={(data) => data.items.length === 0} emptyText="No stores: the topology keeps no state.">
              {(data) => <StoreTable stores={data.items} />}
            </Section>
          </div>
        </>
      )}
    </>
  );
}
