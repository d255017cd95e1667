import { useMemo } from "react";
import type { Metric, Order, TopItem } from "../api/types";
import { BarCard } from "../charts/BarCard";
import { LineCard } from "../charts/LineCard";
import { Combobox } from "../components/Combobox";
import { ProblemList } from "../components/ProblemList";
import { Segmented } from "../components/Segmented";
import { StatusLine } from "../components/StatusLine";
import { formatCount, formatDuration, formatEstimate } from "../model/format";
import { sumOf } from "../model/points";
import { kRanges, rangeOf } from "../model/ranges";
import { browserZone, isZone, kDefaultZone, zoneList } from "../model/zones";
import { realProblems, whyEmpty } from "../model/why";
import { useSetParameters } from "../routing/useRoute";
import { cityStatus } from "./cityStatus";
import type { PageProps } from "./registry";
import { kTopCount, useCityData } from "./useCityData";

const kLines: readonly { metric: Metric; title: string; noun: string; sum: string; color: "posts" | "users" | "retweets"; testId: string }[] = [
  { metric: "posts", title: "Posts", noun: "posts", sum: "total", color: "posts", testId: "chart-posts" },
  { metric: "active_users", title: "Active users", noun: "active users", sum: "distinct", color: "users", testId: "chart-active-users" },
  { metric: "retweets", title: "Retweets", noun: "retweets", sum: "total", color: "retweets", testId: "chart-retweets" },
];
const kNone: readonly TopItem[] = [];
const kOrders: readonly { id: Order; label: string }[] = [{ id: "asc", label: "Fewest" }, { id: "desc", label: "Most" }];

export function CitiesPage({ route }: PageProps) {
  const { parameters } = route;
  const set = useSetParameters("cities");
  const range = rangeOf(parameters.range);
  const worstOrder: Order = parameters.worst === "desc" ? "desc" : "asc";
  const zone = parameters.zone && isZone(parameters.zone) ? parameters.zone : kDefaultZone;
  const data = useCityData({ city: parameters.city, range, worstOrder });
  const { city, points, top, worst, metrics } = data;

  const cityOptions = useMemo(() => data.names.map((value) => ({ value })), [data.names]);
  const zoneOptions = useMemo(() => {
    const own = browserZone();
    return zoneList(own).map((value) => ({ value, hint: value === own ? "this browser" : undefined }));
  }, []);
  const selectCity = (name: string) => set({ city: name });

  const loading = city === null ? top.loading : metrics.loading;
  const problems = realProblems([metrics.problem, top.problem, worst.problem, data.cities.problem]);
  const nowhere = `No city had a post in the ${range.phrase}.`;
  const why = (resource: Parameters<typeof whyEmpty>[0], empty: string) => whyEmpty({ ...resource, loading: false }, "city-metrics", true, empty) ?? empty;
  const emptyLine = city === null
    ? why({ ...top, data: top.problem ? null : {} }, `${nowhere} The charts fill as soon as posts arrive.`)
    : why({ ...metrics, data: metrics.problem ? metrics.data : {} }, `No posts from ${city} in the ${range.phrase}.`);
  const figures: Record<Metric, string> = {
    posts: points.length > 0 ? formatCount(sumOf(points, "posts")) : "",
    retweets: points.length > 0 ? formatCount(sumOf(points, "retweets")) : "",
    active_users: points.length > 0 && metrics.data ? formatEstimate(metrics.data.total.active_users, metrics.data.total.active_users_exact) : "",
  };

  return (
    <>
      <div className="page-head">
        <div>
          <h1>{city ?? "Cities"}</h1>
          <p className="lede">Posts, people and retweets per {formatDuration(data.windowMs)} in the {range.phrase}</p>
        </div>
        <StatusLine status={cityStatus(data.state, data.updatedAt, zone, problems.length > 0)} />
      </div>

      <div className="toolbar" role="group" aria-label="What is shown">
        <Combobox label="City" options={cityOptions} value={city} placeholder="Choose a city" emptyText={`No active city in the ${range.phrase}.`} onChange={selectCity} />
        <Segmented label="Time range" options={kRanges.map(({ id, label, phrase }) => ({ id, label, hint: phrase }))} value={range.id} onChange={(id) => set({ range: id === "1h" ? undefined : id })} />
        <Combobox label="Time zone" options={zoneOptions} value={zone} placeholder="Choose a zone" emptyText="" onChange={(value) => set({ zone: value === kDefaultZone ? undefined : value })} />
      </div>

      <ProblemList problems={problems} onRetry={data.reloadAll} />

      <div className="grid lines">
        {kLines.map(({ sum, ...line }) => (
          <LineCard
            key={line.metric} {...line} city={city ?? "no city"} points={points} from={data.from} to={data.currentWindow} zone={zone}
            figure={figures[line.metric]} note={`${sum}, ${range.phrase}`} loading={loading} emptyText={emptyLine}
          />
        ))}
      </div>

      <h2>All cities, {range.phrase}</h2>
      <div className="grid bars">
        <BarCard
          title="Top 5 by posts" note="Choose a bar to see that city" noun="posts" testId="chart-top" color="posts" rows={kTopCount}
          items={top.data?.items ?? kNone} selected={city} loading={top.loading}
          emptyText={why(top, nowhere)} onSelect={selectCity}
        />
        <BarCard
          title="Worst 5 by retweets" note={worstOrder === "asc" ? "Fewest first, zeros counted" : "Most first"} noun="retweets"
          testId="chart-worst" color="retweets" rows={kTopCount} items={worst.data?.items ?? kNone} selected={city} loading={worst.loading}
          emptyText={why(worst, nowhere)} onSelect={selectCity}
          actions={<Segmented small label="Order of the worst five" options={kOrders} value={worstOrder} onChange={(id) => set({ worst: id === "asc" ? undefined : id })} />}
        />
      </div>
    </>
  );
}
