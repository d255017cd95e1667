import { useCallback, useMemo } from "react";
import { fetchSentiment } from "../api/endpoints";
import { useResource } from "../api/useResource";
import { Chart } from "../charts/Chart";
import { ChartCard } from "../charts/ChartCard";
import { DataTable } from "../charts/DataTable";
import { usePalette } from "../charts/palette";
import { fitSentence, scatterOption, type ScatterPoint } from "../charts/scatterOption";
import { formatChange, formatNumber } from "../model/format";
import { useEvery } from "../model/useEvery";
import { whyEmpty } from "../model/why";

const kPollMs = 15_000;
/** Points that are drawn; the line is over all of them. */
const kPoints = 500;

/** What was written about tickers on a day, against how they moved. */
export function SentimentCard({ user, ticker }: { user: string | undefined; ticker: string | undefined }) {
  const join = useResource(`${user ?? ""} ${ticker ?? ""}`, (signal) => fetchSentiment(user, ticker, kPoints, signal));
  useEvery(kPollMs, join.reload);
  const palette = usePalette();
  const points = useMemo(() => (join.data?.items ?? []).filter((item): item is ScatterPoint => item.day_change !== null), [join.data]);
  const fit = join.data?.fit ?? null;
  const option = useCallback(() => scatterOption(points, fit, palette), [points, fit, palette]);
  const whom = `${user ?? "All users"}, ${ticker ?? "all tickers"}`;
  const waiting = (join.data?.days ?? 0) > 0 ? "Tickers are mentioned, but no price of those days has come yet." : "No post mentions a ticker (such as $AAPL) yet.";
  const sentence = join.data && points.length > 0 ? fitSentence(join.data) : "";
  return (
    <ChartCard
      title="Sentiment and price" note={sentence ? `${whom}. ${sentence}` : whom} loading={join.loading}
      emptyText={whyEmpty(join, "sentiment", points.length === 0, waiting)}
      table={<DataTable caption="Sentiment and change of the price by day" columns={["Day", "Sentiment", "Change"]} rows={points.map((point) => [`${point.date} ${point.user} ${point.ticker}`, formatNumber(point.sentiment), formatChange(point.day_change)])} />}
    >
      <Chart option={option} testId="chart-sentiment" label={`Scatter chart of sentiment against the change of the price, ${points.length} days. ${sentence || "No data."}`} drawn={{ "data-points": points.length }} />
    </ChartCard>
  );
}
