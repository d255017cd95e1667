import { useCallback, useEffect, useMemo, useState } from "react";
import { fetchCandles, fetchSymbols, fetchWages, kCandleStore } from "../api/endpoints";
import { useResource } from "../api/useResource";
import { candleOption, candleSummary } from "../charts/candleOption";
import { Chart } from "../charts/Chart";
import { ChartCard } from "../charts/ChartCard";
import { DataTable } from "../charts/DataTable";
import { usePalette } from "../charts/palette";
import { Combobox } from "../components/Combobox";
import { Panel } from "../components/Panel";
import { ProblemList } from "../components/ProblemList";
import { RankTable } from "../components/RankTable";
import { Segmented } from "../components/Segmented";
import { StatusLine } from "../components/StatusLine";
import { useZoneOptions, zoneOf, zoneParameter } from "../components/useZones";
import { useKeyEvents } from "../live/useKeyEvents";
import { applyCandleUpdates, candlesFromAnswer, changeOf, defaultInterval, kIntervals } from "../model/candles";
import { formatChange, formatCount, formatDay, formatNumber, formatTime } from "../model/format";
import { kRanges, rangeOf } from "../model/ranges";
import { useEvery } from "../model/useEvery";
import { useNow } from "../model/useNow";
import { realProblems, whyEmpty } from "../model/why";
import { useSetParameters } from "../routing/useRoute";
import { cityStatus } from "./cityStatus";
import { pollStatus } from "./pollStatus";
import type { PageProps } from "./registry";
import { useThrottled } from "./useThrottled";

const kSymbols = 12;
const kWages = 10;
const kListsMs = 10_000;
/** Candles that are made of several stored ones are asked for again, at most this often while trades come in. */
const kCandlesMs = 5_000;
const kPollMs = 15_000;
/** Every range moves on by the minute, and what the stream may have left out is there again. */
const kRangeMs = 60_000;
const kUnits = [{ id: "Year", label: "Per year" }, { id: "Hour", label: "Per hour" }] as const;

export default function MarketsPage({ route }: PageProps) {
  const { parameters } = route;
  const set = useSetParameters("markets");
  const range = rangeOf(parameters.range);
  const interval = kIntervals.find((entry) => entry.id === parameters.interval)?.id ?? defaultInterval(range.ms);
  const unit = parameters.unit === "Hour" ? "Hour" : "Year";
  const zone = zoneOf(parameters.zone);
  const zones = useZoneOptions();
  const palette = usePalette();
  const since = () => new Date(Date.now() - range.ms).toISOString();

  const symbols = useResource(range.id, (signal) => fetchSymbols(since(), kSymbols, signal));
  const wages = useResource(`${unit} ${range.id}`, (signal) => fetchWages(unit, "average", kWages, since(), signal));

  // Without a choice the most traded symbol is shown, and kept while others overtake it.
  const [automatic, setAutomatic] = useState<string | null>(null);
  const leader = symbols.data?.items[0]?.key;
  useEffect(() => {
    if (leader && automatic === null) setAutomatic(leader);
  }, [leader, automatic]);
  const symbol = parameters.symbol ?? automatic;
  const series = useResource(symbol === null ? null : `${symbol} ${range.id} ${interval} ${zone}`, (signal) => fetchCandles(symbol ?? "", since(), interval, zone, signal));
  const live = useKeyEvents(kCandleStore, symbol);

  const now = useNow(10_000);
  const stored = interval === kIntervals[0].id;
  const candles = useMemo(() => {
    if (!series.data) return [];
    const answer = candlesFromAnswer(series.data);
    return stored ? applyCandleUpdates(answer, live.updates.values(), series.requestedAt, Math.floor((now - range.ms) / 60_000) * 60_000) : answer;
    // `batch` stands for the content of `updates`.
  }, [series.data, series.requestedAt, stored, live.updates, live.batch, now, range.ms]);

  const reloadCandles = useThrottled(kCandlesMs, series.reload);
  useEffect(() => {
    if (live.batch > 0 && !stored) reloadCandles();
  }, [live.batch, stored]);
  useEffect(() => {
    if (live.recovered > 0) series.reload();
  }, [live.recovered]);
  useEvery(kListsMs, () => {
    symbols.reload();
    wages.reload();
  });
  useEvery(kRangeMs, series.reload);
  // Without the stream the candles are asked for in turns, and so are those that could not be had.
  useEvery(kPollMs, () => {
    if (live.state === "polling" || series.problem) series.reload();
  });

  const option = useCallback((width: number) => candleOption({ candles, zone }, palette, width), [candles, zone, palette]);
  const last = candles[candles.length - 1];
  const change = changeOf(candles);
  const symbolOptions = useMemo(() => (symbols.data?.items ?? []).map((item) => ({ value: item.key })), [symbols.data]);
  const unknown = series.problem?.kind === "unknown-symbol";
  const nothing = `No trades of ${symbol ?? "any symbol"} in the ${range.phrase}.`;
  const why = symbol === null
    ? whyEmpty(symbols, "ohlcv", true, `No trades in the ${range.phrase}. Candles appear as soon as trades arrive.`)
    : unknown ? nothing : whyEmpty(series, "ohlcv", candles.length === 0, nothing);
  const problems = realProblems([symbols.problem, series.problem, wages.problem]);
  const newest = [...live.updates.values()].reduce((most, update) => Math.max(most, update.seenAt), series.fetchedAt ?? 0);
  const status = symbol === null ? pollStatus(symbols, zone, "every 10 s") : cityStatus(live.state, newest, zone, problems.length > 0);
  const moment = (at: number) => `${formatDay(at, zone)} ${formatTime(at, zone)}`;

  return (
    <>
      <div className="page-head">
        <div>
          <h1>{symbol ?? "Markets"}</h1>
          <p className="lede">Prices and volume in the {range.phrase}, and what jobs pay</p>
        </div>
        <StatusLine status={status} />
      </div>
      <div className="toolbar wide" role="group" aria-label="What is shown">
        <Combobox label="Symbol" options={symbolOptions} value={symbol} placeholder="Choose a symbol" emptyText={`No trades in the ${range.phrase}.`} onChange={(value) => set({ symbol: value })} />
        <Segmented label="Time range" options={kRanges.map(({ id, label, phrase }) => ({ id, label, hint: phrase }))} value={range.id} onChange={(id) => set({ range: id === "1h" ? undefined : id, interval: undefined })} />
        <Segmented label="Candle" options={kIntervals} value={interval} onChange={(id) => set({ interval: id === defaultInterval(range.ms) ? undefined : id })} />
        <Combobox label="Time zone" options={zones} value={zone} placeholder="Choose a zone" emptyText="" onChange={(value) => set({ zone: zoneParameter(value) })} />
      </div>
      <ProblemList problems={problems} onRetry={() => [symbols, series, wages].forEach((resource) => resource.reload())} />

      <div className="stack">
        <div className="tall">
          <ChartCard
            title="Price and volume" note={last ? `${formatCount(candles.length)} candles, last ${moment(last.start)}${change === null ? "" : `, ${formatChange(change)} over the range`}` : `In the ${range.phrase}`}
            figure={last ? formatNumber(last.close) : ""} loading={symbol === null ? symbols.loading : series.loading} emptyText={why}
            table={
              <DataTable
                caption={`Candles of ${symbol ?? "no symbol"}, ${zone}`} columns={["Start", "Open", "High", "Low", "Close", "Volume", "Trades"]}
                rows={candles.map((candle) => [moment(candle.start), ...[candle.open, candle.high, candle.low, candle.close, candle.volume, candle.trades].map(formatNumber)])}
              />
            }
          >
            <Chart option={option} testId="chart-candles" label={candleSummary(symbol ?? "no symbol", candles, zone)} drawn={{ "data-points": candles.length, "data-last": last ? new Date(last.start).toISOString() : "" }} />
          </ChartCard>
        </div>
        <div className="grid duo even">
          <Panel title="Symbols" note={`Most trades in the ${range.phrase}`} busy={symbols.loading} why={whyEmpty(symbols, "ohlcv", symbols.data?.items.length === 0, `No trades in the ${range.phrase}.`)} testId="symbols">
            <RankTable
              caption="Symbols by number of trades" columns={["Symbol", "Trades", "Last", "Change"]} selected={symbol} testId="symbols-table" onSelect={(key) => set({ symbol: key })}
              rows={(symbols.data?.items ?? []).map(({ key, score, value }) => ({
                id: key, name: key, weight: score,
                cells: [formatCount(score), formatNumber(value.close ?? 0), value.open ? formatChange(((value.close ?? 0) - value.open) / value.open) : "–"],
              }))}
            />
          </Panel>
          <Panel
            title="Wages" note={`Average of the applications that came in the ${range.phrase}`} busy={wages.loading} testId="wages"
            why={whyEmpty(wages, "wages", wages.data?.items.length === 0, `No applications paid per ${unit.toLowerCase()} came in the ${range.phrase}.`)}
            actions={<Segmented small label="Unit of pay" options={kUnits} value={unit} onChange={(id) => set({ unit: id === "Year" ? undefined : id })} />}
          >
            <RankTable
              caption={`Average wages per ${unit.toLowerCase()} by job title`} columns={["Job title", "Average", "Applications"]} testId="wages-table"
              rows={(wages.data?.items ?? []).map((item) => ({ id: `${item.job_title} ${item.unit}`, name: item.job_title, weight: item.average, cells: [formatNumber(item.average), formatCount(item.count)] }))}
            />
          </Panel>
        </div>
      </div>
    </>
  );
}
