import type { ReactNode } from "react";
import type { Resource } from "../api/useResource";

interface Props<T> {
  title: string;
  resource: Resource<T>;
  isEmpty: (data: T) => boolean;
  emptyText: string;
  children: (data: T) => ReactNode;
}

/** A card around one answer: loading, failed, empty or shown. A failed refresh keeps the older answer. */
export function Section<T>({ title, resource, isEmpty, emptyText, children }: Props<T>) {
  const { data, loading } = resource;
  const note = loading ? "Loading…" : data === null ? "This could not be loaded." : isEmpty(data) ? emptyText : null;
  return (
    <section className="card section" aria-busy={loading}>
      <h2>{title}</h2>
      {note !== null && <p className="section-note">{note}</p>}
      {data !== null && note === null && children(data)}
    </section>
  );
}
