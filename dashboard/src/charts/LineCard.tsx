import { useCallback, useMemo } from "react";
import { formatDay, formatEstimate, formatTime } from "../model/format";
import { Chart } from "./Chart";
import { ChartCard } from "./ChartCard";
import { DataTable } from "./DataTable";
import { lineOption, type LineView } from "./lineOption";
import { usePalette } from "./palette";
import { lineSummary } from "./summary";

interface Props extends Omit<LineView, "color"> {
  title: string;
  testId: string;
  city: string;
  color: "posts" | "users" | "retweets";
  figure: string;
  note: string;
  loading: boolean;
  emptyText: string | null;
}

export function LineCard({ title, testId, city, color, figure, note, loading, emptyText, ...view }: Props) {
  const palette = usePalette();
  const { metric, noun, points, from, to, zone } = view;
  const option = useCallback(
    (width: number) => lineOption({ metric, noun, points, from, to, zone, color: palette[color] }, palette, width),
    [metric, noun, points, from, to, zone, color, palette],
  );
  const rows = useMemo(
    () => points.map((point) => [
      `${formatDay(point.start, zone)} ${formatTime(point.start, zone)}`,
      formatEstimate(point[metric], metric !== "active_users" || point.active_users_exact),
    ]),
    [points, zone, metric],
  );
  const last = points[points.length - 1];
  return (
    <ChartCard
      title={title} figure={figure} note={note} loading={loading} emptyText={points.length === 0 ? emptyText : null}
      table={<DataTable caption={`${title} in ${city} per window, ${zone}`} columns={["Window start", title]} rows={rows} />}
    >
      <Chart
        option={option} group="city-lines" testId={testId} label={lineSummary(title, city, metric, points, zone)}
        drawn={{ "data-points": points.length, "data-last": last ? new Date(last.start).toISOString() : "" }}
      />
    </ChartCard>
  );
}
