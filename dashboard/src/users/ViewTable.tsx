import type { RequestKind, ViewList } from "../api/types";
import type { Resource } from "../api/useResource";
import { Panel } from "../components/Panel";
import { cellsOf, kColumns } from "../model/views";
import { whyEmpty } from "../model/why";

interface Props {
  kind: RequestKind;
  list: Resource<ViewList>;
  phrase: string;
  pipeline: string;
  selected: string | null;
  onSelect: (name: string) => void;
}

/** The first users or tickers of a ranking, one row each. */
export function ViewTable({ kind, list, phrase, pipeline, selected, onSelect }: Props) {
  const columns = kColumns[kind];
  const title = kind === "user" ? "Users" : "Tickers";
  const items = list.data?.items ?? [];
  return (
    <Panel
      title={title} note={`${kind === "user" ? "Most posts" : "Most volume"} ${phrase}`} busy={list.loading} testId={`${kind}s`}
      why={whyEmpty(list, pipeline, items.length === 0, kind === "user" ? `Nobody has posted ${phrase}.` : `There are no daily bars ${phrase}.`)}
    >
      <table className="table stacking" data-testid={`${kind}s-table`} data-rows={items.length}>
        <caption className="visually-hidden">{title} {phrase}</caption>
        <thead><tr><th scope="col">{kind === "user" ? "User" : "Ticker"}</th>{columns.map((column) => <th key={column.id} scope="col" className="number">{column.label}</th>)}</tr></thead>
        <tbody>
          {items.map((item) => {
            const name = String((kind === "user" ? item.user : item.ticker) ?? "");
            return (
              <tr key={name} aria-current={name === selected ? "true" : undefined}>
                <th scope="row" data-label={kind === "user" ? "User" : "Ticker"}><button type="button" className="link" onClick={() => onSelect(name)}>{name}</button></th>
                {cellsOf(item, kind).map((cell, index) => <td key={columns[index]!.id} data-label={columns[index]!.label} className="number">{cell}</td>)}
              </tr>
            );
          })}
        </tbody>
      </table>
    </Panel>
  );
}
