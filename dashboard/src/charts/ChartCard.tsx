import type { ReactNode } from "react";

interface Props {
  title: string;
  note: string;
  /** The one number the chart adds up to; empty while there is none. */
  figure?: string;
  actions?: ReactNode;
  loading: boolean;
  /** Why the axes are empty; null when they are not. */
  emptyText: string | null;
  children: ReactNode;
  table: ReactNode;
}

export function ChartCard({ title, note, figure, actions, loading, emptyText, children, table }: Props) {
  const overlay = loading ? "Loading…" : emptyText;
  return (
    <section className="card chart-card" aria-busy={loading}>
      <header className="card-head">
        <div>
          <h3>{title}</h3>
          <p className="card-note">{note}</p>
        </div>
        {actions}
        {figure && <p className="figure">{figure}</p>}
      </header>
      <div className="chart-area">
        {children}
        {overlay && <p className="chart-overlay"><span>{overlay}</span></p>}
      </div>
      {table}
    </section>
  );
}
