import type { TaskInfo } from "../api/types";

const parts = (task: string): number[] => task.split("_").map((part) => Number(part));

/** By application, subtopology and partition, active before standby. */
export function sortTasks(tasks: readonly TaskInfo[]): TaskInfo[] {
  return [...tasks].sort((a, b) => {
    if (a.application !== b.application) return a.application.localeCompare(b.application);
    const left = parts(a.task);
    const right = parts(b.task);
    for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
      const difference = (left[i] ?? 0) - (right[i] ?? 0);
      if (Number.isFinite(difference) && difference !== 0) return difference;
    }
    return a.role.localeCompare(b.role) || a.task.localeCompare(b.task) || a.worker.localeCompare(b.worker);
  });
}

export function restoreShare(restore: TaskInfo["restore"]): number | null {
  if (!restore) return null;
  if (restore.total <= 0) return 1;
  return Math.min(1, Math.max(0, restore.done / restore.total));
}

/** How much of all that is being restored is there: records of the tasks that restore, and their sum. */
export function restoreTotals(tasks: readonly TaskInfo[]): { done: number; total: number } | null {
  const restoring = tasks.filter((task) => task.restore !== null && (task.state.toLowerCase() === "restoring" || (restoreShare(task.restore) ?? 1) < 1));
  if (restoring.length === 0) return null;
  return restoring.reduce((sum, { restore }) => ({ done: sum.done + restore!.done, total: sum.total + restore!.total }), { done: 0, total: 0 });
}

/**
 * How long the rest takes at the pace since `before`, in milliseconds; null while there is no pace, or while another set of
 * tasks restores than then.
 */
export function restoreRemainingMs(before: { done: number; total: number; at: number } | null, now: { done: number; total: number; at: number }): number | null {
  if (!before || before.total !== now.total || now.at <= before.at || now.done <= before.done) return null;
  return ((now.total - now.done) * (now.at - before.at)) / (now.done - before.done);
}

export interface TaskTotals {
  tasks: number;
  running: number;
  restoring: number;
  /** Records of all active tasks that are still to be processed; null when no task says. */
  lag: number | null;
}

export function taskTotals(tasks: readonly TaskInfo[]): TaskTotals {
  const active = tasks.filter((task) => task.role === "active");
  const lags = active.map((task) => task.lag).filter((lag): lag is number => typeof lag === "number");
  return {
    tasks: tasks.length,
    running: tasks.filter((task) => task.state.toLowerCase() === "running").length,
    restoring: tasks.filter((task) => task.state.toLowerCase() === "restoring").length,
    lag: lags.length > 0 ? lags.reduce((sum, lag) => sum + lag, 0) : null,
  };
}

/** How a state is coloured; the word itself is always shown too. */
export function stateTone(state: string): "good" | "waiting" | "down" {
  const lower = state.toLowerCase();
  if (lower === "running" || lower === "standby") return "good";
  if (lower.includes("error") || lower.includes("dead") || lower.includes("corrupt") || lower === "closed") return "down";
  return "waiting";
}
