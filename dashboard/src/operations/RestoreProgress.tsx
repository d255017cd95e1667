import { useRef } from "react";
import type { TaskInfo } from "../api/types";
import { formatCount } from "../model/format";
import { restoreRemainingMs, restoreTotals } from "./tasks";

const roughly = (ms: number): string => (ms < 60_000 ? `${Math.max(1, Math.round(ms / 1_000))} s` : ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`);

/** All that is being restored as one bar, with the time that the rest takes at the pace so far; nothing when nothing is. */
export function RestoreProgress({ tasks, at }: { tasks: readonly TaskInfo[]; at: number }) {
  const totals = restoreTotals(tasks);
  const first = useRef<{ done: number; total: number; at: number } | null>(null);
  if (!totals) {
    first.current = null;
    return null;
  }
  if (first.current?.total !== totals.total || first.current.done > totals.done) first.current = { ...totals, at };
  const share = totals.total > 0 ? Math.min(1, totals.done / totals.total) : 1;
  const remaining = restoreRemainingMs(first.current, { ...totals, at });
  const percent = Math.floor(share * 100);
  return (
    <section className="card section restore-all" data-testid="restore-progress" aria-label="Restore progress">
      <p><b>Restoring state</b> <span className="quiet">{formatCount(totals.done)} of {formatCount(totals.total)} records{remaining === null ? "" : `, about ${roughly(remaining)} left`}. Queries of these partitions are answered when it is done.</span></p>
      <span className="bar" role="progressbar" aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent} aria-label="All restores"><span style={{ width: `${share * 100}%` }} /></span>
    </section>
  );
}
