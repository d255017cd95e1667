import type { ReactNode } from "react";

interface Props {
  title: string;
  note?: string;
  actions?: ReactNode;
  busy?: boolean;
  /** Why there is nothing to show; null when there is. */
  why: string | null;
  testId?: string;
  children: ReactNode;
}

/** A card with a title that says why when it is empty. */
export function Panel({ title, note, actions, busy, why, testId, children }: Props) {
  return (
    <section className="card panel" aria-busy={busy} data-testid={testId} data-empty={why === null ? "no" : "yes"}>
      <header className="card-head">
        <div>
          <h3>{title}</h3>
          {note && <p className="card-note">{note}</p>}
        </div>
        {actions}
      </header>
      {why !== null ? <p className="section-note">{why}</p> : children}
    </section>
  );
}
