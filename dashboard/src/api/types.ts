/** Shapes of the gateway's JSON answers, as far as this dashboard reads them. Times are RFC 3339 strings. */

export interface CityList {
  from: string;
  to: string;
  items: string[];
}

export interface MetricValues {
  posts: number;
  retweets: number;
  active_users: number;
  /** False when the count comes from a sketch and is an estimate. */
  active_users_exact?: boolean;
}

export interface MetricPoint extends MetricValues {
  start: string;
  end: string;
}

export interface CityMetrics {
  city: string;
  zone: string;
  window_ms: number;
  from: string;
  to: string;
  points: MetricPoint[];
  total: MetricValues;
}

export type Metric = "posts" | "active_users" | "retweets";
export type Order = "asc" | "desc";

export interface TopItem {
  city: string;
  value: number;
  posts?: number;
  retweets?: number;
  active_users?: number;
}

export interface TopCities {
  by: Metric;
  order: Order;
  from: string;
  to: string;
  items: TopItem[];
}

export interface TaskInput {
  topic: string;
  partition: number;
  offset: number | null;
  end_offset: number | null;
  lag: number | null;
}

export interface TaskInfo {
  application: string;
  /** Unique in its application. */
  task: string;
  worker: string;
  role: string;
  state: string;
  stream_time: string | null;
  lag: number | null;
  restore: { done: number; total: number } | null;
  inputs?: TaskInput[];
}

export interface TopologyNode {
  name: string;
  type: "source" | "processor" | "sink";
  topics?: string[];
  stores?: string[];
  successors?: string[];
}

export interface Subtopology {
  application: string;
  /** Counted from 0 in each application. */
  id: number;
  nodes: TopologyNode[];
}

export interface Topology {
  text: string;
  subtopologies: Subtopology[];
}

export interface RoutingWorker {
  application: string;
  epoch: number;
  instance: string;
  endpoint: string;
  active: string[];
  standby: string[];
}

export interface Routing {
  workers: RoutingWorker[];
}

export interface StoreInfo {
  name: string;
  kind: string;
  window_size_ms?: number | null;
  retention_ms?: number | null;
  partitions?: number;
}

export interface Items<T> {
  items: T[];
}

export type TrendScore = "decay" | "slope" | "count";

export interface TrendItem {
  topic: string;
  score: number;
  count: number;
  period_start: string | null;
}

export interface TrendRanking {
  score: TrendScore;
  period_ms: number | null;
  half_life_ms: number | null;
  from: string | null;
  to: string | null;
  items: TrendItem[];
}

export interface TrendHistory {
  topic: string;
  role: "asked" | "compared" | "hottest";
  seen: boolean;
  message?: string;
  total: number;
  last_seen: string | null;
  slope: number | null;
  points: { start: string; end: string; count: number }[];
}

export interface TrendHistories {
  period_ms: number;
  from: string;
  to: string;
  topics: TrendHistory[];
}

export interface Languages {
  window: { start: string; end: string } | null;
  total: number;
  items: { language: string; posts: number }[];
}

/** Numbers of a user or a ticker; null where there is none. */
export type ViewValues = Record<string, number | null>;
export type ViewRange = "all_time" | "week" | "week_with_today";

export interface ViewList {
  range: ViewRange;
  by: string;
  from: string | null;
  to: string | null;
  items: (ViewValues & { user?: string; ticker?: string })[];
}

export interface ViewWeek {
  from: string;
  to: string;
  values: ViewValues | null;
}

export interface View {
  user?: string;
  ticker?: string;
  today: string;
  all_time: ViewValues | null;
  week: ViewWeek;
  week_with_today: ViewWeek;
  days: ({ date: string } & Record<string, number | string | null>)[];
}

export type RequestKind = "user" | "ticker";

export interface HistoryRequest {
  id: string;
  kind: RequestKind;
  name: string;
  state: string;
  requested_at: string;
  updated_at: string;
  reason?: string | null;
}

export interface CandleValues {
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  trades: number;
}

export interface CandleSeries {
  symbol: string;
  interval_ms: number;
  from: string;
  to: string;
  candles: ({ start: string; end: string } & CandleValues)[];
  total: (CandleValues & { change: number | null }) | null;
}

export interface SymbolList {
  items: { key: string; score: number; value: Partial<CandleValues> }[];
}

export interface WageList {
  by: string;
  unit: string;
  items: { job_title: string; unit: string; average: number; count: number }[];
}

export interface SentimentJoin {
  user: string | null;
  ticker: string | null;
  days: number;
  pairs: number;
  correlation: number | null;
  fit: { slope: number; intercept: number; r_squared: number } | null;
  held_out: { pairs: number; r_squared: number } | null;
  items: { user: string; ticker: string; date: string; sentiment: number; posts: number; day_change: number | null }[];
}
