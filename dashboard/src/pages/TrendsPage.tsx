import { useCallback, useEffect, useMemo, useState } from "react";
import { fetchLanguages, fetchTopics, fetchTrends } from "../api/endpoints";
import { useResource } from "../api/useResource";
import { Chart } from "../charts/Chart";
import { ChartCard } from "../charts/ChartCard";
import { compareOption } from "../charts/compareOption";
import { DataTable } from "../charts/DataTable";
import { usePalette } from "../charts/palette";
import { Combobox } from "../components/Combobox";
import { Panel } from "../components/Panel";
import { ProblemList } from "../components/ProblemList";
import { RankTable } from "../components/RankTable";
import { Segmented } from "../components/Segmented";
import { StatusLine } from "../components/StatusLine";
import { TextField } from "../components/TextField";
import { useZoneOptions, zoneOf, zoneParameter } from "../components/useZones";
import { formatCount, formatDay, formatDuration, formatShare, formatTime } from "../model/format";
import { compareSentence, formatScore, kScores, mentionsOf, scoreOf, seriesOf } from "../model/trends";
import { useEvery } from "../model/useEvery";
import { realProblems, whyEmpty } from "../model/why";
import { useSetParameters } from "../routing/useRoute";
import { pollStatus } from "./pollStatus";
import type { PageProps } from "./registry";

const kTopics = 12;
const kLanguages = 8;
const kRankingMs = 10_000;
const kHistoryMs = 30_000;
const kLanguagesMs = 5_000;
const kPeriods = [{ id: "1d", label: "Day" }, { id: "1h", label: "Hour" }] as const;

export default function TrendsPage({ route }: PageProps) {
  const { parameters } = route;
  const set = useSetParameters("trends");
  const score = scoreOf(parameters.score);
  const period = parameters.period === "1d" ? "1d" : "1h";
  const zone = zoneOf(parameters.zone);
  const filter = { place: parameters.place, group: parameters.place ? undefined : parameters.group, source: parameters.source };
  const filterKey = JSON.stringify(filter);
  const zones = useZoneOptions();
  const palette = usePalette();

  const ranking = useResource(`${score.id} ${filterKey}`, (signal) => fetchTrends(score.id, kTopics, filter, signal));
  const languages = useResource("languages", (signal) => fetchLanguages(kLanguages, signal));

  // Without a choice the leader's history is shown, and kept while others overtake it.
  const [automatic, setAutomatic] = useState<string | null>(null);
  const leader = ranking.data?.items[0]?.topic;
  useEffect(() => {
    if (leader && automatic === null) setAutomatic(leader);
  }, [leader, automatic]);
  const topic = parameters.topic ?? automatic;
  const topics = useResource(topic === null ? null : `${topic} ${parameters.topic2 ?? ""} ${period} ${zone} ${filterKey}`, (signal) =>
    fetchTopics(topic ?? "", parameters.topic2, period, zone, filter, signal));

  useEvery(kRankingMs, ranking.reload);
  useEvery(kHistoryMs, topics.reload);
  useEvery(kLanguagesMs, languages.reload);

  const histories = topics.data?.topics ?? [];
  const series = useMemo(() => {
    const periodMs = topics.data?.period_ms ?? 3_600_000;
    return (topics.data?.topics ?? []).map((history, index) => ({
      name: history.topic, color: index === 0 ? palette.posts : palette.retweets, points: seriesOf(history, periodMs),
    }));
  }, [topics.data, palette]);
  const from = topics.data ? Date.parse(topics.data.from) : Date.now() - 7 * 86_400_000;
  const to = topics.data ? Date.parse(topics.data.to) : Date.now();
  const option = useCallback((width: number) => compareOption({ series, from, to, zone }, palette, width), [series, from, to, zone, palette]);
  const points = series.reduce((sum, { points: own }) => sum + own.length, 0);
  const sentence = compareSentence(histories);
  const when = (at: number) => `${formatDay(at, zone)} ${formatTime(at, zone)}`;
  const choose = (name: string) => set(parameters.topic && parameters.topic !== name ? { topic2: name } : { topic: name });

  const whyRanking = whyEmpty(ranking, "trends", ranking.data?.items.length === 0, filter.source ? `No words of source “${filter.source}” have been counted.` : score.empty);
  const whyHistory = topic === null ? "As soon as words have been counted, their history is drawn here." : whyEmpty(topics, "trends", points === 0, sentence);
  const column = filter.source ? "Mentions" : score.column;
  const scoreId = filter.source ? "count" : score.id;
  const mentions = scoreId !== "count";
  const note = filter.source ? `Words of ${filter.source}, over all time` : `${score.hint}${ranking.data?.period_ms ? `, by ${formatDuration(ranking.data.period_ms)}` : ""}`;
  const problems = realProblems([ranking.problem, topics.problem, languages.problem]);

  return (
    <>
      <div className="page-head">
        <div>
          <h1>Trends</h1>
          <p className="lede">What people write about, what rises, and how two topics compare over seven days</p>
        </div>
        <StatusLine status={pollStatus(ranking, zone, "every 10 s")} />
      </div>

      <div className="toolbar wide" role="group" aria-label="Which posts are counted">
        <Segmented label="Ranked by" options={kScores} value={score.id} onChange={(id) => set({ score: id === "decay" ? undefined : id })} />
        <TextField label="Place" value={parameters.place ?? ""} placeholder="All places" onCommit={(place) => set({ place: place || undefined, group: undefined, source: undefined })} />
        <TextField label="Group of users" value={parameters.group ?? ""} placeholder="Everybody" onCommit={(group) => set({ group: group || undefined, place: undefined, source: undefined })} />
        <TextField label="Source" value={parameters.source ?? ""} placeholder="All sources" onCommit={(source) => set({ source: source || undefined, place: undefined, group: undefined })} />
      </div>

      <ProblemList problems={problems} onRetry={() => [ranking, topics, languages].forEach((resource) => resource.reload())} />

      <div className="grid duo">
        <Panel title="Topics" note={note} busy={ranking.loading} why={whyRanking} testId="topics">
          <RankTable
            caption={`Topics, ${note}`} columns={mentions ? ["Topic", column, "Mentions"] : ["Topic", column]} selected={topic} testId="topics-table" onSelect={choose}
            rows={(ranking.data?.items ?? []).map((item) => ({
              id: item.topic, name: item.topic, weight: item.score,
              cells: mentions ? [formatScore(scoreId, item.score), mentionsOf(item)] : [formatScore(scoreId, item.score)],
            }))}
          />
        </Panel>

        <div className="stack">
          <form className="card panel lookup" role="search" aria-label="Look up topics" onSubmit={(event) => event.preventDefault()}>
            <TextField label="Topic" value={topic ?? ""} placeholder="A word" onCommit={(value) => set({ topic: value || undefined })} />
            <TextField label="Compared with" value={parameters.topic2 ?? ""} placeholder="The most frequent" onCommit={(value) => set({ topic2: value || undefined })} />
            <Combobox label="Time zone" options={zones} value={zone} placeholder="Choose a zone" emptyText="" onChange={(value) => set({ zone: zoneParameter(value) })} />
          </form>
          <ChartCard
            title={topic === null ? "Seven days" : histories.map((history) => history.topic).join(" and ") || topic} note={sentence || "The last seven days"} loading={topics.loading}
            emptyText={whyHistory}
            actions={<Segmented small label="Counted by" options={kPeriods} value={period} onChange={(id) => set({ period: id === "1h" ? undefined : id })} />}
            table={<DataTable caption={`Mentions per ${period === "1d" ? "day" : "hour"}, ${zone}`} columns={["Topic and time", "Mentions"]} rows={series.flatMap(({ name, points: own }) => own.map((point) => [`${name}, ${when(point.start)}`, formatCount(point.count)]))} />}
          >
            <Chart option={option} testId="chart-topics" label={`Line chart of mentions. ${sentence || "No data."}`} drawn={{ "data-points": points, "data-series": series.length }} />
          </ChartCard>
          {histories.length > 0 && (
            <ul className="legend" aria-label="Topics in the chart">
              {histories.map((history, index) => (
                <li key={`${history.role} ${history.topic}`}>
                  <span className={index === 0 ? "swatch swatch-posts" : "swatch swatch-retweets"} aria-hidden="true" />
                  <b>{history.topic}</b>{" "}
                  <span className="quiet">{history.seen ? `${formatCount(history.total)} mentions${history.last_seen ? `, last ${when(Date.parse(history.last_seen))}` : ""}` : history.message ?? "not seen"}</span>
                </li>
              ))}
            </ul>
          )}
          <Panel
            title="Languages" note={languages.data?.window ? `Posts from ${formatTime(Date.parse(languages.data.window.start), zone)}, ${formatDuration(Date.parse(languages.data.window.end) - Date.parse(languages.data.window.start))} long` : "Posts in the newest window"}
            busy={languages.loading} why={whyEmpty(languages, "language-counts", languages.data?.items.length === 0, "No post came in the last seconds.")} testId="languages"
          >
            <RankTable
              caption="Languages of the newest posts" columns={["Language", "Posts", "Share"]} testId="languages-table"
              rows={(languages.data?.items ?? []).map((item) => ({
                id: item.language, name: item.language, weight: item.posts, cells: [formatCount(item.posts), formatShare(item.posts / Math.max(1, languages.data?.total ?? 1))],
              }))}
            />
          </Panel>
        </div>
      </div>
    </>
  );
}
