import { getJson, postJson } from "./client";
import type {
  CandleSeries, CityList, CityMetrics, HistoryRequest, Items, Languages, Metric, Order, RequestKind, Routing, SentimentJoin, StoreInfo, SymbolList,
  TaskInfo, TopCities, Topology, TrendHistories, TrendRanking, TrendScore, View, ViewList, ViewRange, WageList,
} from "./types";

export const kCityStore = "city-metrics";

export const fetchCities = (from: string, signal: AbortSignal) => getJson<CityList>("/cities", { from }, signal);

export const fetchCityMetrics = (city: string, from: string, signal: AbortSignal) =>
  getJson<CityMetrics>(`/cities/${encodeURIComponent(city)}/metrics`, { from }, signal);

export const fetchTop = (by: Metric, order: Order, n: number, from: string, signal: AbortSignal) =>
  getJson<TopCities>("/cities/top", { by, n, order, from }, signal);

export const fetchTasks = (signal: AbortSignal) => getJson<Items<TaskInfo>>("/tasks", {}, signal);
export const fetchTopology = (signal: AbortSignal) => getJson<Topology>("/topology", {}, signal);
export const fetchRouting = (signal: AbortSignal) => getJson<Routing>("/routing", {}, signal);
export const fetchStores = (signal: AbortSignal) => getJson<Items<StoreInfo>>("/stores", {}, signal);

export const kCandleStore = "ohlcv";

/** Which posts a ranking of topics is of; all of them when nothing is named. */
export interface TopicFilter {
  place?: string;
  group?: string;
  source?: string;
}

/** Counts per source are kept over all time, so there is one ranking of a source. */
export const fetchTrends = (score: TrendScore, n: number, { place, group, source }: TopicFilter, signal: AbortSignal) =>
  getJson<TrendRanking>("/trends", source ? { source, n } : { score, n, place, group }, signal);
export const fetchTopics = (topic: string, topic2: string | undefined, period: string, zone: string, { place, group }: TopicFilter, signal: AbortSignal) =>
  getJson<TrendHistories>("/trends", { topic, topic2, period, zone, place, group }, signal);
export const fetchLanguages = (n: number, signal: AbortSignal) => getJson<Languages>("/languages", { n }, signal);

export const fetchViews = (noun: RequestKind, range: ViewRange, by: string, n: number, zone: string, signal: AbortSignal) =>
  getJson<ViewList>(`/${noun}s`, { range, by, n, zone }, signal);
export const fetchView = (noun: RequestKind, name: string, zone: string, signal: AbortSignal) =>
  getJson<View>(`/${noun}s/${encodeURIComponent(name)}`, { zone }, signal);
export const fetchSentiment = (user: string | undefined, ticker: string | undefined, n: number, signal: AbortSignal) =>
  getJson<SentimentJoin>("/joins/sentiment", { user, ticker, n }, signal);

export const fetchRequests = (n: number, signal: AbortSignal) => getJson<Items<HistoryRequest>>("/requests", { n }, signal);
export const submitRequest = (kind: RequestKind, name: string) => postJson<HistoryRequest>("/requests", { kind, name });

export const fetchSymbols = (from: string, n: number, signal: AbortSignal) =>
  getJson<SymbolList>(`/stores/${kCandleStore}/top`, { field: "trades", n, from }, signal);
export const fetchCandles = (symbol: string, from: string, interval: string, zone: string, signal: AbortSignal) =>
  getJson<CandleSeries>(`/tickers/${encodeURIComponent(symbol)}/candles`, { from, interval, zone }, signal);
export const fetchWages = (unit: string, by: string, n: number, from: string, signal: AbortSignal) =>
  getJson<WageList>("/wages/top", { unit, by, n, from }, signal);
