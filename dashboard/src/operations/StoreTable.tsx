import type { StoreInfo } from "../api/types";
import { formatDuration } from "../model/format";

const duration = (ms: number | null | undefined) => (typeof ms === "number" && ms > 0 ? formatDuration(ms) : "–");

export function StoreTable({ stores }: { stores: readonly StoreInfo[] }) {
  return (
    <table className="table stacking" data-testid="stores">
      <caption className="visually-hidden">State stores</caption>
      <thead><tr><th scope="col">Store</th><th scope="col">Kind</th><th scope="col">Window</th><th scope="col">Retention</th><th scope="col" className="number">Partitions</th></tr></thead>
      <tbody>
        {stores.map((store) => (
          <tr key={store.name}>
            <th scope="row" data-label="Store"><code>{store.name}</code></th>
            <td data-label="Kind">{store.kind}</td>
            <td data-label="Window">{duration(store.window_size_ms)}</td>
            <td data-label="Retention">{duration(store.retention_ms)}</td>
            <td data-label="Partitions" className="number">{store.partitions ?? "–"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
