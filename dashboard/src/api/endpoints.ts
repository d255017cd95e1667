import { getJson } from "./client";
import type { CityList, CityMetrics, Items, Metric, Order, Routing, StoreInfo, TaskInfo, TopCities, Topology } from "./types";

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
