// The product routes of the stand-in: topics, users, tickers, candles, wages and requests, all invented and the same at every start.
const kMinute = 60_000;
const kHour = 60 * kMinute;
const kDay = 24 * kHour;
const kTopics = ["earthquake", "snow", "hockey", "election", "coffee", "concert", "traffic", "strike", "sunset", "holiday", "rain", "startup", "festival", "playoffs", "budget", "harvest"];
const kUsers = ["maple_fox12", "quiet_otter", "reporter_7", "north_wind", "tall_pine", "red_canoe"];
const kTickers = ["AAPL", "MSFT", "SHOP", "RY", "TD"];
const kSymbols = ["BINANCE:BTCUSDT", "BINANCE:ETHUSDT", "AAPL", "SHOP"];
const kJobs = ["Software Engineer", "Data Scientist", "Registered Nurse", "Teacher", "Electrician", "Accountant"];

const iso = (ms) => new Date(ms).toISOString();
const date = (ms) => iso(ms).slice(0, 10);
const noise = (a, b) => {
  const x = Math.sin(a * 12.9898 + b * 78.233) * 43758.5453;
  return x - Math.floor(x);
};
const countOf = (topic, hour) => (topic > 11 && noise(topic, hour) > 0.4 ? 0 : Math.round((300 / (topic + 1)) * (0.4 + noise(topic + 3, hour)) * (1 + 0.5 * Math.sin(hour / 4 + topic))));
const round = (value, digits = 2) => Number(value.toFixed(digits));

/** Answers { status, body } for a product route, and null for any other. */
export function createProduct(empty) {
  const requests = new Map();

  function trends(query, now) {
    const hour = Math.floor(now / kHour);
    const n = Number(query.get("n") ?? 10);
    const period = query.get("period") === "1d" ? kDay : kHour;
    const from = Math.floor((now - 7 * kDay) / kHour);
    const total = (topic, back) => Array.from({ length: back }, (_, i) => countOf(topic, hour - i)).reduce((sum, count) => sum + count, 0);
    if (!query.get("topic")) {
      const score = query.get("source") ? "count" : query.get("score") ?? "slope";
      const scores = {
        count: (topic) => total(topic, 2),
        slope: (topic) => countOf(topic, hour) - countOf(topic, hour - 1),
        decay: (topic) => round(Array.from({ length: 48 }, (_, i) => countOf(topic, hour - i) * 0.5 ** (i / 6)).reduce((sum, part) => sum + part, 0), 3),
      };
      const items = empty ? [] : kTopics.map((name, topic) => ({ topic: name, score: scores[score](topic), count: total(topic, 2), period_start: score === "slope" ? iso(hour * kHour) : null }));
      items.sort((a, b) => b.score - a.score || (a.topic < b.topic ? -1 : 1));
      return { score, period_ms: kHour, half_life_ms: score === "decay" ? 6 * kHour : null, from: iso(now - kHour), to: iso(now), items: items.slice(0, n) };
    }
    const history = (name, role) => {
      const topic = kTopics.indexOf(name);
      const points = new Map();
      for (let at = from; topic >= 0 && !empty && at <= hour; at += 1) {
        const count = countOf(topic, at);
        const start = Math.floor((at * kHour) / period) * period;
        if (count > 0) points.set(start, (points.get(start) ?? 0) + count);
      }
      const list = [...points].map(([start, count]) => ({ start: iso(start), end: iso(start + period), count }));
      const sum = list.reduce((all, point) => all + point.count, 0);
      return {
        topic: name, role, seen: sum > 0, total: sum, slope: null, points: list, last_seen: list.length > 0 ? list[list.length - 1].start : null,
        ...(sum === 0 ? { message: `'${name}' was not seen in 7 days.` } : {}),
      };
    };
    const asked = query.get("topic").toLowerCase().replace(/^#/, "");
    const other = query.get("topic2") ?? (empty ? null : kTopics.find((name) => name !== asked));
    const topics = [history(asked, "asked"), ...(other ? [history(other, query.get("topic2") ? "compared" : "hottest")] : [])];
    return { zone: query.get("zone") ?? "UTC", period_ms: period, from: iso(from * kHour), to: iso(now), topics };
  }

  const userDay = (user, day) => {
    const posts = Math.round(20 * noise(user, day));
    const sentiment = round(2 * noise(user + 9, day) - 1);
    return { posts, retweets: Math.round(posts * 3 * noise(user + 1, day)), favorites: Math.round(posts * 9 * noise(user + 2, day)), sentiment_sum: round(posts * sentiment), sentiment_avg: sentiment };
  };
  const tickerDay = (ticker, day) => {
    const open = round(100 + 40 * ticker + 10 * Math.sin(day / 5 + ticker));
    const close = round(open * (1 + 0.04 * (noise(ticker, day) - 0.5)));
    return { days: 1, open, close, high: round(Math.max(open, close) * 1.01), low: round(Math.min(open, close) * 0.99), change: round(close - open), volume: Math.round(1e6 * (1 + noise(ticker + 5, day))), day_change: (close - open) / open };
  };
  const mergeUsers = (days) => {
    const sum = (field) => round(days.reduce((all, day) => all + day[field], 0));
    return { posts: sum("posts"), retweets: sum("retweets"), favorites: sum("favorites"), sentiment_sum: sum("sentiment_sum"), sentiment_avg: round(sum("sentiment_sum") / Math.max(1, sum("posts")), 3) };
  };
  const mergeTickers = (days) => {
    const mean = (field) => round(days.reduce((all, day) => all + day[field], 0) / days.length);
    return { days: days.length, open: mean("open"), close: mean("close"), high: Math.max(...days.map((day) => day.high)), low: Math.min(...days.map((day) => day.low)), change: mean("change"), volume: mean("volume"), day_change: (mean("close") - mean("open")) / mean("open") };
  };
  const kinds = {
    user: { names: kUsers, day: userDay, merge: mergeUsers },
    ticker: { names: kTickers, day: tickerDay, merge: mergeTickers },
  };
  const spans = (today) => ({ week: [today - 7, today - 1], week_with_today: [today - 6, today], all_time: [today - 60, today] });
  const valuesOf = ({ day, merge }, index, [from, to]) => merge(Array.from({ length: to - from + 1 }, (_, i) => day(index, from + i)));

  function views(kind, query, now) {
    const today = Math.floor(now / kDay);
    const range = query.get("range") ?? "week_with_today";
    const by = query.get("by") ?? (kind === "user" ? "posts" : "volume");
    const span = spans(today)[range];
    const items = empty ? [] : kinds[kind].names.map((name, index) => ({ [kind]: name, ...valuesOf(kinds[kind], index, span) })).map((item) => ({ value: item[by], ...item }));
    items.sort((a, b) => b.value - a.value);
    return { range, by, order: "desc", zone: query.get("zone") ?? "UTC", from: date(span[0] * kDay), to: date(span[1] * kDay), items: items.slice(0, Number(query.get("n") ?? 10)) };
  }
  function view(kind, name, query, now) {
    const index = kinds[kind].names.findIndex((known) => known.toLowerCase() === name.toLowerCase());
    if (index < 0 || empty) return null;
    const today = Math.floor(now / kDay);
    const all = spans(today);
    const week = (key) => ({ from: date(all[key][0] * kDay), to: date(all[key][1] * kDay), values: valuesOf(kinds[kind], index, all[key]) });
    return {
      [kind]: kinds[kind].names[index], zone: query.get("zone") ?? "UTC", today: date(now), all_time: valuesOf(kinds[kind], index, all.all_time), week: week("week"), week_with_today: week("week_with_today"),
      days: Array.from({ length: 8 }, (_, i) => ({ date: date((today - 7 + i) * kDay), ...kinds[kind].day(index, today - 7 + i) })),
    };
  }

  const price = (symbol, minute) => 100 * (symbol + 1) * (1 + 0.02 * Math.sin(minute / 17 + symbol) + 0.01 * Math.sin(minute / 5) + 0.004 * noise(symbol, minute));
  function candleOf(symbol, minute) {
    const open = price(symbol, minute);
    const close = price(symbol, minute + 1);
    const spread = 0.003 * noise(symbol + 4, minute);
    return { open: round(open, 4), close: round(close, 4), high: round(Math.max(open, close) * (1 + spread), 4), low: round(Math.min(open, close) * (1 - spread), 4), volume: round(50 * noise(symbol + 8, minute), 3), trades: 1 + Math.round(60 * noise(symbol + 2, minute)) };
  }
  const join = (candles) => ({
    open: candles[0].open, close: candles[candles.length - 1].close, high: Math.max(...candles.map((c) => c.high)), low: Math.min(...candles.map((c) => c.low)),
    volume: round(candles.reduce((sum, c) => sum + c.volume, 0), 3), trades: candles.reduce((sum, c) => sum + c.trades, 0),
  });
  function candles(symbol, query, now) {
    const index = kSymbols.indexOf(symbol);
    if (index < 0 || empty) return null;
    const length = { "1m": 1, "5m": 5, "15m": 15, "1h": 60 }[query.get("interval") ?? "1m"] ?? 1;
    const from = Math.floor(Date.parse(query.get("from") ?? iso(now - kHour)) / (length * kMinute)) * length;
    const list = [];
    for (let minute = from; minute * kMinute <= now; minute += length) {
      list.push({ start: iso(minute * kMinute), end: iso((minute + length) * kMinute), ...join(Array.from({ length }, (_, i) => candleOf(index, minute + i))) });
    }
    const total = list.length > 0 ? join(list) : null;
    return { symbol, zone: query.get("zone") ?? "UTC", interval_ms: length * kMinute, from: iso(from * kMinute), to: iso(now), candles: list, total: total && { ...total, change: (total.close - total.open) / total.open } };
  }

  function sentiment(query, now) {
    const today = Math.floor(now / kDay);
    const items = [];
    for (let day = today; !empty && day > today - 40; day -= 1) {
      kUsers.forEach((user, u) => kTickers.forEach((ticker, t) => {
        if (noise(u * 7 + t, day) > 0.15) return;
        const change = kinds.ticker.day(t, day).day_change;
        items.push({ user, ticker, date: date(day * kDay), sentiment: round(40 * change + 2 * (noise(u, day * 3 + t) - 0.5), 3), posts: 1 + t, day_change: day === today ? null : change });
      }));
    }
    const chosen = items.filter((item) => (!query.get("user") || item.user === query.get("user")) && (!query.get("ticker") || item.ticker === query.get("ticker")));
    const pairs = chosen.filter((item) => item.day_change !== null);
    const mean = (field) => pairs.reduce((sum, pair) => sum + pair[field], 0) / Math.max(1, pairs.length);
    const [mx, my] = [mean("sentiment"), mean("day_change")];
    const sum = (f) => pairs.reduce((all, pair) => all + f(pair.sentiment - mx, pair.day_change - my), 0);
    const [xx, yy, xy] = [sum((x) => x * x), sum((_, y) => y * y), sum((x, y) => x * y)];
    const fit = pairs.length > 2 && xx > 0 && yy > 0 ? { slope: xy / xx, intercept: my - (xy / xx) * mx, r_squared: (xy * xy) / (xx * yy) } : null;
    return { user: query.get("user"), ticker: query.get("ticker"), days: chosen.length, pairs: pairs.length, correlation: fit ? xy / Math.sqrt(xx * yy) : null, fit, held_out: null, items: chosen.slice(0, Number(query.get("n") ?? 100)) };
  }

  function request(body, now) {
    const errors = [];
    if (body?.kind !== "user" && body?.kind !== "ticker") errors.push({ parameter: "kind", message: "is not one of user, ticker" });
    if (typeof body?.name !== "string" || !/^@?[\w.:-]{1,64}$/.test(body.name)) errors.push({ parameter: "name", message: "is not a name" });
    if (errors.length > 0) return { status: 400, body: { type: "urn:tailrace:problem:validation", title: "The request is not valid", status: 400, detail: "", errors } };
    const name = body.kind === "user" ? body.name.toLowerCase().replace(/^@/, "") : body.name.toUpperCase();
    const key = `${body.kind}|${name}`;
    const known = requests.get(key);
    if (!known) requests.set(key, { id: String(requests.size + 1), kind: body.kind, name, requested_at: iso(now), at: now });
    return { status: known ? 200 : 201, body: shown(requests.get(key), now) };
  }
  /** A request is worked on after a second and done after six. */
  function shown({ at, ...record }, now) {
    const age = now - at;
    const state = age < 1_000 ? "requested" : age < 6_000 ? "computing" : record.name.toLowerCase() === "nobody" ? "failed" : "ready";
    return { ...record, state, updated_at: iso(Math.min(now, at + 6_000)), ...(state === "failed" ? { reason: "there is no such user" } : {}) };
  }

  function answer(method, path, query, body) {
    const now = Date.now();
    const ok = (value, type, detail) => (value ? { status: 200, body: value } : { status: 404, body: { type: `urn:tailrace:problem:${type}`, title: "Not found", status: 404, detail } });
    if (method === "POST") return path === "/requests" ? request(body, now) : null;
    if (path === "/trends") return ok(trends(query, now));
    if (path === "/languages") {
      const start = Math.floor(now / 4_000) * 4_000 - 24_000;
      const items = empty ? [] : ["en", "fr", "es", "ja", "unknown"].map((language, i) => ({ language, posts: Math.round((400 / (i + 1)) * (0.8 + 0.4 * noise(i, start))) }));
      return ok({ window: empty ? null : { start: iso(start), end: iso(start + 20_000) }, total: items.reduce((sum, item) => sum + item.posts, 0), items });
    }
    if (path === "/users" || path === "/tickers") return ok(views(path.slice(1, -1), query, now));
    const candle = /^\/tickers\/(.+)\/candles$/.exec(path);
    if (candle) return ok(candles(decodeURIComponent(candle[1]), query, now), "unknown-symbol", "There is no such symbol.");
    const one = /^\/(user|ticker)s\/([^/]+)$/.exec(path);
    if (one) return ok(view(one[1], decodeURIComponent(one[2]), query, now), `unknown-${one[1]}`, `There is no such ${one[1]}.`);
    if (path === "/wages/top") {
      const unit = query.get("unit") ?? "Year";
      const items = empty ? [] : kJobs.map((job_title, i) => ({ job_title, unit, average: round((unit === "Hour" ? 25 : 52_000) * (1 + noise(i, Math.floor(now / 30_000)))), count: 1 + Math.round(9 * noise(i + 1, 3)) }));
      items.sort((a, b) => b.average - a.average);
      return ok({ by: "average", unit, order: "desc", from: iso(now - kHour), to: iso(now), items });
    }
    if (path === "/joins/sentiment") return ok(sentiment(query, now));
    if (path === "/requests") return ok({ items: [...requests.values()].map((record) => shown(record, now)).reverse() });
    if (path === "/stores/ohlcv/top") {
      const minute = Math.floor(now / kMinute);
      const items = empty ? [] : kSymbols.map((key, index) => ({ key, value: join(Array.from({ length: 60 }, (_, i) => candleOf(index, minute - 59 + i))) })).map((item) => ({ ...item, score: item.value.trades }));
      items.sort((a, b) => b.score - a.score);
      return ok({ store: "ohlcv", field: "trades", order: "desc", items });
    }
    return null;
  }

  /** The change of one symbol's candle that is being made. */
  function candleEvent(symbol, beat) {
    const index = kSymbols.indexOf(symbol);
    if (index < 0 || empty) return null;
    const minute = Math.floor(Date.now() / kMinute);
    const value = candleOf(index, minute);
    const close = round(value.open + (value.close - value.open) * noise(beat, index), 4);
    return { store: "ohlcv", key: symbol, window: { start: iso(minute * kMinute), end: iso((minute + 1) * kMinute) }, value: { ...value, close, high: Math.max(value.high, close), low: Math.min(value.low, close) }, task: "0_0" };
  }

  return { answer, candleEvent };
}
