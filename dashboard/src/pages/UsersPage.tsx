import { fetchRequests, fetchViews } from "../api/endpoints";
import { useResource } from "../api/useResource";
import { Combobox } from "../components/Combobox";
import { Panel } from "../components/Panel";
import { ProblemList } from "../components/ProblemList";
import { Segmented } from "../components/Segmented";
import { StatusLine } from "../components/StatusLine";
import { useZoneOptions, zoneOf, zoneParameter } from "../components/useZones";
import { formatMoment } from "../model/format";
import { useEvery } from "../model/useEvery";
import { kViewRanges, requestState, viewRangeOf } from "../model/views";
import { isNotRunning, realProblems, whyEmpty } from "../model/why";
import { useSetParameters } from "../routing/useRoute";
import { RequestForm } from "../users/RequestForm";
import { SentimentCard } from "../users/SentimentCard";
import { ViewDetail } from "../users/ViewDetail";
import { ViewTable } from "../users/ViewTable";
import { pollStatus } from "./pollStatus";
import type { PageProps } from "./registry";

const kRows = 10;
const kRequests = 50;
const kTablesMs = 15_000;
/** A request changes its state within seconds; nothing is sent again while nothing has changed. */
const kRequestsMs = 3_000;

export default function UsersPage({ route }: PageProps) {
  const { parameters } = route;
  const set = useSetParameters("users");
  const range = viewRangeOf(parameters.range);
  const zone = zoneOf(parameters.zone);
  const zones = useZoneOptions();
  const users = useResource(`${range.id} ${zone}`, (signal) => fetchViews("user", range.id, "posts", kRows, zone, signal));
  const tickers = useResource(`${range.id} ${zone}`, (signal) => fetchViews("ticker", range.id, "volume", kRows, zone, signal));
  const requests = useResource("requests", (signal) => fetchRequests(kRequests, signal));
  useEvery(kTablesMs, () => {
    users.reload();
    tickers.reload();
  });
  useEvery(kRequestsMs, requests.reload);

  const { user, ticker } = parameters;
  const items = requests.data?.items ?? [];
  return (
    <>
      <div className="page-head">
        <div>
          <h1>Users and tickers</h1>
          <p className="lede">What people posted and how tickers moved over a week, and histories to ask for</p>
        </div>
        <StatusLine status={pollStatus(users.data || !tickers.data ? users : tickers, zone, "every 15 s")} />
      </div>
      <div className="toolbar" role="group" aria-label="What is shown">
        <Segmented label="Time range" options={kViewRanges} value={range.id} onChange={(id) => set({ range: id === "week_with_today" ? undefined : id })} />
        <Combobox label="Time zone of the days" options={zones} value={zone} placeholder="Choose a zone" emptyText="" onChange={(value) => set({ zone: zoneParameter(value) })} />
      </div>
      <ProblemList problems={realProblems([users.problem, tickers.problem, requests.problem])} onRetry={() => [users, tickers, requests].forEach((resource) => resource.reload())} />

      <div className="stack">
        <ViewTable kind="user" list={users} phrase={range.phrase} pipeline="user-views" selected={user ?? null} onSelect={(name) => set({ user: name })} />
        {user && <ViewDetail kind="user" name={user} zone={zone} pipeline="user-views" />}
        <ViewTable kind="ticker" list={tickers} phrase={range.phrase} pipeline="ticker-views" selected={ticker ?? null} onSelect={(name) => set({ ticker: name })} />
        {ticker && <ViewDetail kind="ticker" name={ticker} zone={zone} pipeline="ticker-views" />}
        {(user || ticker) && (
          <p><button type="button" className="button" onClick={() => set({ user: undefined, ticker: undefined })}>Show all users and tickers again</button></p>
        )}
        <SentimentCard user={user} ticker={ticker} />
        <Panel title="Ask for a history" note="A user's posts or five years of a ticker's bars are loaded once and then kept up to date" testId="request"
          why={isNotRunning(requests.problem) ? "Nothing can be asked for here: the request registry is not running." : null}
        >
          <RequestForm onSubmitted={requests.reload} />
        </Panel>
        <Panel
          title="Requests" note="Newest first" busy={requests.loading} testId="requests"
          why={whyEmpty(requests, "requests", items.length === 0, "Nothing has been asked for yet. The form above does it.")}
        >
          <table className="table stacking" data-testid="requests-table" data-rows={items.length}>
            <caption className="visually-hidden">Requests for histories and their states</caption>
            <thead><tr><th scope="col">Name</th><th scope="col">Kind</th><th scope="col">State</th><th scope="col">Asked for ({zone})</th><th scope="col">Changed</th></tr></thead>
            <tbody>
              {items.map((item) => {
                const state = requestState(item.state);
                const moment = (text: string) => (Number.isFinite(Date.parse(text)) ? formatMoment(Date.parse(text), zone) : "–");
                return (
                  <tr key={`${item.kind} ${item.name}`}>
                    <th scope="row" data-label="Name"><button type="button" className="link" onClick={() => set(item.kind === "user" ? { user: item.name } : { ticker: item.name })}>{item.name}</button></th>
                    <td data-label="Kind">{item.kind}</td>
                    <td data-label="State"><span className={`state state-${state.tone}`}><span className="dot" aria-hidden="true" />{state.text}</span>{item.reason && <span className="quiet"> {item.reason}</span>}</td>
                    <td data-label="Asked for">{moment(item.requested_at)}</td>
                    <td data-label="Changed">{moment(item.updated_at)}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </Panel>
      </div>
    </>
  );
}
