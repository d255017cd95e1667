import { fetchView } from "../api/endpoints";
import type { RequestKind } from "../api/types";
import { useResource } from "../api/useResource";
import { Panel } from "../components/Panel";
import { useEvery } from "../model/useEvery";
import { cellsOf, kColumns } from "../model/views";
import { whyEmpty } from "../model/why";

const kPollMs = 15_000;

/** One user or ticker: three ranges, and day by day. */
export function ViewDetail({ kind, name, zone, pipeline }: { kind: RequestKind; name: string; zone: string; pipeline: string }) {
  const view = useResource(`${kind} ${name} ${zone}`, (signal) => fetchView(kind, name, zone, signal));
  useEvery(kPollMs, view.reload);
  const { data } = view;
  const unknown = view.problem?.kind.startsWith("unknown-") && view.problem.kind !== "unknown-store";
  const why = unknown ? `Nothing is known of ${name} yet. Ask for its history below.` : whyEmpty(view, pipeline, false, "");
  const rows = data
    ? [
        { id: "all", label: "All time", values: data.all_time },
        { id: "week", label: `Full week, ${data.week.from} to ${data.week.to}`, values: data.week.values },
        { id: "today", label: `With today, ${data.week_with_today.from} to ${data.week_with_today.to}`, values: data.week_with_today.values },
      ]
    : [];
  const days = [...(data?.days ?? [])].reverse();
  const columns = kColumns[kind];
  return (
    <Panel title={(kind === "user" ? data?.user : data?.ticker) ?? name} note={data ? `Today is ${data.today} in ${zone}` : undefined} busy={view.loading} why={why} testId={`${kind}-detail`}>
      <table className="table stacking">
        <caption className="visually-hidden">{name} over three ranges and by day</caption>
        <thead><tr><th scope="col">Range</th>{columns.map((column) => <th key={column.id} scope="col" className="number">{column.label}</th>)}</tr></thead>
        <tbody>
          {[...rows, ...days.map((day) => ({ id: day.date, label: day.date, values: day as Record<string, unknown> }))].map((row) => (
            <tr key={row.id}>
              <th scope="row" data-label="Range">{row.label}</th>
              {cellsOf(row.values, kind).map((cell, index) => <td key={columns[index]!.id} data-label={columns[index]!.label} className="number">{cell}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
