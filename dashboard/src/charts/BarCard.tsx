import { useCallback, useMemo, type ReactNode } from "react";
import type { TopItem } from "../api/types";
import { formatCount } from "../model/format";
import { barOption } from "./barOption";
import { Chart } from "./Chart";
import { ChartCard } from "./ChartCard";
import { DataTable } from "./DataTable";
import { usePalette } from "./palette";
import { barSummary } from "./summary";

interface Props {
  title: string;
  note: string;
  noun: string;
  testId: string;
  items: readonly TopItem[];
  rows: number;
  color: "posts" | "retweets";
  selected: string | null;
  actions?: ReactNode;
  loading: boolean;
  emptyText: string;
  onSelect: (city: string) => void;
}

export function BarCard({ title, note, noun, testId, items, rows, color, selected, actions, loading, emptyText, onSelect }: Props) {
  const palette = usePalette();
  const option = useCallback(
    (width: number) => barOption({ items, noun, rows, selected, color: palette[color] }, palette, width),
    [items, noun, rows, selected, color, palette],
  );
  const cells = useMemo(() => items.map((item) => [item.city, formatCount(item.value)]), [items]);
  return (
    <ChartCard
      title={title} note={note} actions={actions} loading={loading} emptyText={items.length === 0 ? emptyText : null}
      table={<DataTable caption={title} columns={["City", noun]} rows={cells} />}
    >
      <Chart option={option} testId={testId} label={barSummary(title, noun, items)} drawn={{ "data-bars": items.length }} onSelect={onSelect} />
    </ChartCard>
  );
}
