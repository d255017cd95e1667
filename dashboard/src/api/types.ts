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
  id: number;
  nodes: TopologyNode[];
}

export interface Topology {
  text: string;
  subtopologies: Subtopology[];
}

export interface RoutingWorker {
  instance: string;
  endpoint: string;
  active: string[];
  standby: string[];
}

export interface Routing {
  epoch: number;
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
