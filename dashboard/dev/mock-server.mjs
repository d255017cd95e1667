// A stand-in for the gateway, for work on the pages: `node dev/mock-server.mjs [--port 8099] [--scenario NAME] [--window-ms N] [--dist DIR]`.
// Scenarios: normal, empty (a system without data), error (every request fails), nosse (no live stream), dropsse (the stream breaks every 10 s).
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { createProduct } from "./mock-product.mjs";

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const port = Number(option("port", "8099"));
const scenario = option("scenario", "normal");
const windowMs = Number(option("window-ms", "300000"));
const product = createProduct(scenario === "empty");
const dist = option("dist", new URL("../dist", import.meta.url).pathname);

const kCities = ["Toronto, Ontario", "Montréal, Québec", "Montreal, Quebec", "Vancouver, British Columbia", "Calgary, Alberta", "Ottawa, Ontario",
  "Edmonton, Alberta", "Winnipeg, Manitoba", "Halifax, Nova Scotia", "London, Ontario", "London, England", "Québec, Québec", "Victoria, British Columbia",
  "São Paulo, Brazil", "St. John's, Newfoundland and Labrador", "Rouyn-Noranda, Québec", "Iqaluit, Nunavut", "Zürich, Switzerland"];
const noise = (a, b) => {
  const x = Math.sin(a * 12.9898 + b * 78.233) * 43758.5453;
  return x - Math.floor(x);
};
const iso = (ms) => new Date(ms).toISOString();

/** Deterministic by city and window, so that every request tells the same story. The current window grows with time. */
function valuesOf(index, start, now) {
  const share = Math.min(1, (now - start) / windowMs);
  if (index > 12 && noise(index, start / windowMs) > 0.5) return null;
  const daily = 1 + 0.35 * Math.sin((start / 86_400_000) * 2 * Math.PI);
  const posts = Math.round((900 / (index + 1) ** 0.8) * daily * (0.75 + 0.5 * noise(index, start / windowMs)) * share);
  if (posts === 0) return null;
  const retweets = index === 15 || index === 16 ? 0 : Math.round(posts * (0.14 + 0.1 * noise(index + 7, start / windowMs)));
  return { posts, retweets, active_users: Math.round(posts * (0.55 + 0.15 * noise(index + 3, start / windowMs))), active_users_exact: index > 1 };
}
function pointsOf(index, from, to) {
  const points = [];
  for (let start = Math.ceil(from / windowMs) * windowMs; start < to; start += windowMs) {
    const values = scenario === "empty" ? null : valuesOf(index, start, Date.now());
    if (values) points.push({ start: iso(start), end: iso(start + windowMs), ...values });
  }
  return points;
}
const totalOf = (points) => {
  const sum = (field) => points.reduce((total, point) => total + point[field], 0);
  return { posts: sum("posts"), retweets: sum("retweets"), active_users: Math.round(sum("active_users") * 0.6), active_users_exact: points.every((p) => p.active_users_exact) };
};

const instances = ["10.0.0.11:9090", "10.0.0.12:9090"];
function tasks() {
  if (scenario === "empty") return [];
  return Array.from({ length: 12 }, (_, partition) => {
    const restoring = partition === 7 || partition === 10;
    const done = partition === 7 ? Math.round((Date.now() / 400) % 1000) * 180 : 42_000;
    const lag = restoring ? 18_400 + partition : Math.round(noise(partition, Math.floor(Date.now() / 5000)) * 40);
    return {
      task: `0_${partition}`, worker: instances[partition % 2], role: "active", state: restoring ? "restoring" : "running",
      stream_time: restoring ? null : iso(Date.now() - 900), lag, restore: restoring ? { done, total: 180_000 } : null,
      inputs: [{ topic: "posts", partition, offset: 120_000 - lag, end_offset: 120_000, lag }],
    };
  });
}
const topology = {
  text: `Topologies:
   Sub-topology: 0
    Source: KSTREAM-SOURCE-0000000000 (topics: [posts])
      --> KSTREAM-FILTER-0000000001
    Processor: KSTREAM-FILTER-0000000001 (stores: [])
      --> KSTREAM-KEY-SELECT-0000000002
    ...`,
  subtopologies: [
    { id: 0, nodes: [
      { name: "KSTREAM-SOURCE-0000000000", type: "source", topics: ["posts"], stores: [], successors: ["KSTREAM-FILTER-0000000001"] },
      { name: "KSTREAM-FILTER-0000000001", type: "processor", topics: [], stores: [], successors: ["KSTREAM-KEY-SELECT-0000000002", "dead-letters-sink"] },
      { name: "KSTREAM-KEY-SELECT-0000000002", type: "processor", topics: [], stores: [], successors: ["city-metrics-repartition-sink"] },
      { name: "city-metrics-repartition-sink", type: "sink", topics: ["city-metrics-repartition"], stores: [], successors: [] },
      { name: "dead-letters-sink", type: "sink", topics: ["posts-dead-letters"], stores: [], successors: [] } ] },
    { id: 1, nodes: [
      { name: "city-metrics-repartition-source", type: "source", topics: ["city-metrics-repartition"], stores: [], successors: ["KSTREAM-AGGREGATE-0000000005"] },
      { name: "KSTREAM-AGGREGATE-0000000005", type: "processor", topics: [], stores: ["city-metrics"], successors: ["KTABLE-TOSTREAM-0000000006"] },
      { name: "KTABLE-TOSTREAM-0000000006", type: "processor", topics: [], stores: [], successors: ["KSTREAM-SINK-0000000007"] },
      { name: "KSTREAM-SINK-0000000007", type: "sink", topics: ["city-metrics"], stores: [], successors: [] } ] },
  ],
};

function answer(path, query) {
  const now = Date.now();
  const time = (name, fallback) => {
    const raw = query.get(name);
    return raw === null ? fallback : /^\d+$/.test(raw) ? Number(raw) : Date.parse(raw);
  };
  const to = time("to", now);
  const from = time("from", to - 3_600_000);
  const range = { from: iso(from), to: iso(to) };
  const totals = () => kCities.map((city, index) => ({ city, index, points: pointsOf(index, from, to) })).filter((entry) => entry.points.length > 0);
  if (path === "/cities") return { ...range, items: totals().map((entry) => entry.city).sort() };
  if (path === "/cities/top") {
    const by = query.get("by") ?? "posts";
    const order = query.get("order") ?? "desc";
    const items = totals().map(({ city, points }) => ({ city, ...totalOf(points) })).map((item) => ({ city: item.city, value: item[by], ...item }));
    items.sort((a, b) => (order === "asc" ? a.value - b.value : b.value - a.value) || (a.city < b.city ? -1 : 1));
    return { by, order, ...range, items: items.slice(0, Number(query.get("n") ?? 5)) };
  }
  const city = /^\/cities\/(.+)\/metrics$/.exec(path);
  if (city) {
    const name = decodeURIComponent(city[1]);
    const index = kCities.indexOf(name);
    const points = index < 0 ? [] : pointsOf(index, from, to);
    return { city: name, zone: query.get("zone") ?? "UTC", window_ms: windowMs, ...range, points, total: totalOf(points) };
  }
  if (path === "/tasks") return { items: tasks() };
  if (path === "/topology") return scenario === "empty" ? { text: "", subtopologies: [] } : topology;
  if (path === "/routing") {
    const all = tasks();
    return { epoch: 7, workers: scenario === "empty" ? [] : instances.map((endpoint, i) => ({
      instance: `worker-${i}`, endpoint, active: all.filter((task) => task.worker === endpoint).map((task) => task.task), standby: [] })) };
  }
  if (path === "/stores") {
    return { items: scenario === "empty" ? [] : [
      { name: "city-metrics", kind: "window", window_size_ms: windowMs, retention_ms: 86_400_000, partitions: 12 },
      { name: "authors", kind: "key-value", window_size_ms: null, retention_ms: null, partitions: 12 } ] };
  }
  return null;
}

let token = 0;
/** Changes of one symbol's candles. */
function candleStream(response, symbol) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write("retry: 1000\n\nevent: heartbeat\ndata: {}\n\n");
  const send = setInterval(() => {
    token += 1;
    const event = product.candleEvent(symbol, token);
    if (event) response.write(`id: ${token}\nevent: update\ndata: ${JSON.stringify(event)}\n\n`);
  }, 500);
  const beat = setInterval(() => response.write("event: heartbeat\ndata: {}\n\n"), 5_000);
  response.on("close", () => [send, beat].forEach(clearInterval));
}
function stream(response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write("retry: 1000\n\n");
  const send = setInterval(() => {
    if (scenario === "empty") return;
    const now = Date.now();
    const start = Math.floor(now / windowMs) * windowMs;
    kCities.forEach((key, index) => {
      const value = valuesOf(index, start, now);
      if (!value) return;
      token += 1;
      response.write(`id: ${token}\nevent: update\ndata: ${JSON.stringify({ store: "city-metrics", key, window: { start: iso(start), end: iso(start + windowMs) }, value, task: "0_1" })}\n\n`);
    });
  }, 250);
  const beat = setInterval(() => response.write("event: heartbeat\ndata: {}\n\n"), 5_000);
  const cut = scenario === "dropsse" ? setTimeout(() => response.destroy(), 10_000) : null;
  response.on("close", () => {
    clearInterval(send);
    clearInterval(beat);
    if (cut) clearTimeout(cut);
  });
}

const kTypes = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const problem = (response, status, body) => response.writeHead(status, { "content-type": "application/problem+json" }).end(JSON.stringify(body));

createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname.startsWith("/api/v1")) {
    const path = url.pathname.slice("/api/v1".length);
    if (scenario === "error") {
      return problem(response, 503, { type: "about:blank", title: "No worker is reachable", status: 503, detail: "10.0.0.11:9090 refused the connection; start a worker or check --workers.",
        errors: [{ parameter: "workers", message: "0 of 2 answered" }] });
    }
    if (path.endsWith("/events")) {
      if (scenario === "nosse") return problem(response, 404, { type: "about:blank", title: "Not found", status: 404, detail: "" });
      return path.startsWith("/stores/ohlcv/") ? candleStream(response, url.searchParams.get("key")) : stream(response);
    }
    let posted = null;
    if (request.method === "POST") {
      const parts = [];
      for await (const part of request) parts.push(part);
      try {
        posted = JSON.parse(Buffer.concat(parts).toString());
      } catch {
        return problem(response, 400, { type: "urn:tailrace:problem:validation", title: "The request is not valid", status: 400, detail: "The body is no JSON." });
      }
    }
    const made = product.answer(request.method, path, url.searchParams, posted);
    if (made) {
      const type = made.status < 400 ? "application/json" : "application/problem+json";
      return response.writeHead(made.status, { "content-type": type }).end(JSON.stringify(made.body));
    }
    const body = answer(path, url.searchParams);
    if (!body) return problem(response, 404, { type: "about:blank", title: "Not found", status: 404, detail: `No route ${path}.` });
    return response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  }
  const file = url.pathname === "/" ? "index.html" : normalize(url.pathname).replace(/^(\.\.[/\\])+/, "");
  try {
    const content = await readFile(join(dist, file));
    response.writeHead(200, { "content-type": kTypes[extname(file)] ?? "application/octet-stream" }).end(content);
  } catch {
    response.writeHead(404).end();
  }
}).listen(port, "127.0.0.1", function () { console.log(`mock gateway (${scenario}) at http://127.0.0.1:${this.address().port}`); });
