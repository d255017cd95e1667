import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import type { Subtopology, TaskInfo } from "../src/api/types";
import { Problem } from "../src/api/problem";
import { distinctProblems } from "../src/components/ProblemList";
import { ProblemNote } from "../src/components/ProblemNote";
import { graphOf, readersByTopic } from "../src/operations/graphModel";
import { kBoxHeight, kBoxWidth, layoutGraph } from "../src/operations/layout";
import { RestoreProgress } from "../src/operations/RestoreProgress";
import { TaskTable } from "../src/operations/TaskTable";
import { restoreRemainingMs, restoreShare, restoreTotals, sortTasks, stateTone, taskTotals } from "../src/operations/tasks";
import { TopologyGraph } from "../src/operations/TopologyGraph";

const branching: Subtopology = {
  application: "app",
  id: 0,
  nodes: [
    { name: "source", type: "source", topics: ["posts"], successors: ["filter"] },
    { name: "filter", type: "processor", successors: ["aggregate", "late"] },
    { name: "aggregate", type: "processor", stores: ["counts", "names"], successors: ["sink"] },
    { name: "late", type: "sink", topics: ["dead-letters"] },
    { name: "sink", type: "sink", topics: ["posts"], successors: [] },
  ],
};
const task = (name: string, more: Partial<TaskInfo> = {}): TaskInfo => ({
  application: "app", task: name, worker: "w:1", role: "active", state: "running", stream_time: null, lag: 1, restore: null, ...more,
});

describe("topology", () => {
  it("has a vertex for each node, topic and store, and no loop through a topic", () => {
    const graph = graphOf(branching);
    expect(graph.vertices).toHaveLength(5 + 3 + 2);
    expect(graph.edges.filter((edge) => edge.kind === "store")).toHaveLength(2);
    expect(graph.edges.filter((edge) => edge.kind === "flow")).toHaveLength(3 + 4);
  });
  it("is laid out downwards without overlap", () => {
    const drawing = layoutGraph(graphOf(branching));
    expect(drawing.vertices).toHaveLength(10);
    for (const one of drawing.vertices) {
      expect(one.x).toBeGreaterThanOrEqual(0);
      expect(one.x + kBoxWidth).toBeLessThanOrEqual(drawing.width);
      expect(one.y + kBoxHeight).toBeLessThanOrEqual(drawing.height);
      for (const other of drawing.vertices) {
        if (one === other || one.y !== other.y) continue;
        expect(Math.abs(one.x - other.x), `${one.id} and ${other.id}`).toBeGreaterThanOrEqual(kBoxWidth);
      }
    }
    for (const edge of drawing.edges) if (edge.kind === "flow") expect(edge.path[edge.path.length - 1]!.y).toBeGreaterThan(edge.path[0]!.y);
  });
  it("leads an edge past the rows it skips, and survives a circle", () => {
    const skipping: Subtopology = { application: "app", id: 0, nodes: [
      { name: "a", type: "source", successors: ["b", "d"] }, { name: "b", type: "processor", successors: ["c"] },
      { name: "c", type: "processor", successors: ["d", "b"] }, { name: "d", type: "sink" }] };
    const edge = layoutGraph(graphOf(skipping)).edges.find((entry) => entry.from.endsWith(":a") && entry.to.endsWith(":d"));
    expect(edge!.path.length).toBeGreaterThan(2);
  });
  it("says who reads a topic on", () => {
    const next: Subtopology = { application: "app", id: 1, nodes: [{ name: "again", type: "source", topics: ["dead-letters"] }] };
    expect(readersByTopic([branching, next]).get("dead-letters")).toEqual(["app 1"]);
    const page = renderToStaticMarkup(<TopologyGraph topology={{ text: "Topologies:", subtopologies: [branching, next] }} />);
    expect(page).toContain("topic, read by subtopology app 1");
    expect(page).toContain("Topologies:");
  });
  it("tells applications apart whose numbers are the same", () => {
    const other: Subtopology = { application: "other", id: 0, nodes: [{ name: "again", type: "source", topics: ["posts"] }] };
    const page = renderToStaticMarkup(<TopologyGraph topology={{ text: "", subtopologies: [branching, other] }} />);
    expect(page).toContain("topic, read by subtopology app 0, other 0");
    expect(new Set(page.match(/id="arrow-[^"]+"/g))).toHaveLength(2);
    const tasks = renderToStaticMarkup(<TaskTable tasks={[task("0_0"), task("0_0", { application: "other" })]} />);
    expect(tasks).toContain(">app</td>");
    expect(tasks).toContain(">other</td>");
  });
});

describe("tasks", () => {
  it("are sorted by number, not by text", () => {
    expect(sortTasks([task("1_0"), task("0_10"), task("0_0", { application: "b" }), task("0_2", { role: "standby" }), task("0_2")]).map((entry) => `${entry.task} ${entry.role}`)).toEqual([
      "0_2 active", "0_2 standby", "0_10 active", "1_0 active", "0_0 active"]);
  });
  it("add up, without the lag of standbys", () => {
    expect(taskTotals([task("0_0", { lag: 5 }), task("0_0", { role: "standby", lag: 50 }), task("0_1", { state: "restoring", lag: null })])).toEqual({
      tasks: 3, running: 2, restoring: 1, lag: 5 });
    expect(taskTotals([]).lag).toBeNull();
  });
  it("show how far a restore is", () => {
    expect(restoreShare(null)).toBeNull();
    expect(restoreShare({ done: 0, total: 0 })).toBe(1);
    expect(restoreShare({ done: 30, total: 20 })).toBe(1);
    const page = renderToStaticMarkup(<TaskTable tasks={[task("0_1", { state: "restoring", restore: { done: 1, total: 4 } })]} />);
    expect(page).toContain('aria-valuenow="25"');
    expect(page).toContain("none yet");
  });
  it("know states by their meaning", () => {
    expect([stateTone("RUNNING"), stateTone("restoring"), stateTone("corrupted")]).toEqual(["good", "waiting", "down"]);
  });
});

it("a problem shows every error of a request", () => {
  const page = renderToStaticMarkup(<ProblemNote problem={new Problem("Bad request", 400, "Two things", [{ parameter: "n", message: "must be positive" }])} onRetry={() => {}} />);
  for (const part of ["Bad request", "400", "Two things", "<code>n</code>", "must be positive", "Try again"]) expect(page).toContain(part);
});

it("the same problem of many requests is shown once", () => {
  const down = () => new Problem("Unreachable", null, "Start it");
  expect(distinctProblems([down(), null, down(), new Problem("Bad request", 400, "")]).map((problem) => problem.title)).toEqual(["Unreachable", "Bad request"]);
});

describe("restore progress", () => {
  const restoring = (done: number, total: number): TaskInfo => ({ application: "app", task: "0_0", worker: "w", role: "active", state: "restoring", stream_time: null, lag: null, restore: { done, total } });
  it("adds up what restores and leaves out what is done", () => {
    expect(restoreTotals([restoring(10, 100), restoring(40, 50), { ...restoring(7, 7), state: "running" }, { ...restoring(0, 0), restore: null }])).toEqual({ done: 50, total: 150 });
    expect(restoreTotals([])).toBeNull();
    expect(renderToStaticMarkup(<RestoreProgress tasks={[]} at={0} />)).toBe("");
    expect(renderToStaticMarkup(<RestoreProgress tasks={[restoring(25, 100)]} at={0} />)).toContain('aria-valuenow="25"');
  });
  it("tells the time that is left only from a pace", () => {
    expect(restoreRemainingMs({ done: 10, total: 100, at: 0 }, { done: 30, total: 100, at: 4_000 })).toBe(14_000);
    expect(restoreRemainingMs(null, { done: 30, total: 100, at: 4_000 })).toBeNull();
    expect(restoreRemainingMs({ done: 30, total: 100, at: 0 }, { done: 30, total: 100, at: 4_000 })).toBeNull();
    expect(restoreRemainingMs({ done: 10, total: 90, at: 0 }, { done: 30, total: 100, at: 4_000 })).toBeNull();
  });
});
