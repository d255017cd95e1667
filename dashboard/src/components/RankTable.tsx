import type { ReactNode } from "react";

export interface RankRow {
  id: string;
  name: ReactNode;
  /** Length of the bar in front of the other columns. */
  weight: number;
  cells: ReactNode[];
}

interface Props {
  caption: string;
  columns: string[];
  rows: readonly RankRow[];
  selected?: string | null;
  testId?: string;
  onSelect?: (id: string) => void;
}

/** A ranking: a table whose rows carry a bar, and whose names are buttons where a row can be chosen. */
export function RankTable({ caption, columns, rows, selected, testId, onSelect }: Props) {
  const most = rows.reduce((max, row) => Math.max(max, Math.abs(row.weight)), 0);
  return (
    <table className="table rank" data-testid={testId} data-rows={rows.length}>
      <caption className="visually-hidden">{caption}</caption>
      <thead><tr>{columns.map((column, index) => <th key={column} scope="col" className={index > 0 ? "number" : undefined}>{column}</th>)}</tr></thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.id} aria-current={row.id === selected ? "true" : undefined}>
            <th scope="row">
              {onSelect ? <button type="button" className="link" onClick={() => onSelect(row.id)}>{row.name}</button> : row.name}
              <span className={row.weight < 0 ? "weight falling" : "weight"} style={{ width: `${most > 0 ? (Math.abs(row.weight) / most) * 100 : 0}%` }} aria-hidden="true" />
            </th>
            {row.cells.map((cell, index) => <td key={index} className="number">{cell}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
