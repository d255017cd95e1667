import type { Edge, Graph, Vertex } from "./graphModel";

export const kBoxWidth = 232;
export const kBoxHeight = 46;
const kColumnGap = 34;
const kRowGap = 34;
const kMargin = 6;
/** A line that passes a row keeps this much room free in it. */
const kPassWidth = 12;

export interface PlacedVertex extends Vertex {
  x: number;
  y: number;
}

export interface PlacedEdge extends Edge {
  /** Points from one box's edge to the other's; the line is drawn as a smooth curve through them. */
  path: { x: number; y: number }[];
}

export interface Drawing {
  width: number;
  height: number;
  vertices: PlacedVertex[];
  edges: PlacedEdge[];
}

interface Slot {
  id: string;
  width: number;
  x: number;
  row: number;
}

/** Rows by the longest way from a start. An edge that closes a circle, which no valid topology has, does not count. */
function rowsOf(graph: Graph): Map<string, number> {
  const outward = new Map<string, string[]>();
  const reached = new Set<string>();
  for (const edge of graph.edges) {
    if (edge.kind !== "flow") continue;
    outward.set(edge.from, [...(outward.get(edge.from) ?? []), edge.to]);
    reached.add(edge.to);
  }
  const ids = graph.vertices.filter((vertex) => vertex.kind !== "store").map((vertex) => vertex.id);
  const open = new Set<string>();
  const done = new Set<string>();
  const order: string[] = [];
  const forward: [string, string][] = [];
  const visit = (id: string) => {
    if (done.has(id)) return;
    open.add(id);
    for (const to of outward.get(id) ?? []) {
      if (open.has(to)) continue;
      forward.push([id, to]);
      visit(to);
    }
    open.delete(id);
    done.add(id);
    order.unshift(id);
  };
  for (const id of ids) if (!reached.has(id)) visit(id);
  for (const id of ids) visit(id);

  const rows = new Map(ids.map((id) => [id, 0]));
  const position = new Map(order.map((id, index) => [id, index]));
  forward.sort((one, other) => position.get(one[0])! - position.get(other[0])!);
  for (const [from, to] of forward) rows.set(to, Math.max(rows.get(to)!, rows.get(from)! + 1));
  return rows;
}

/** Draws the graph from top to bottom: a simple layered layout, made for the small graphs that topologies are. */
export function layoutGraph(graph: Graph): Drawing {
  const rowOf = rowsOf(graph);
  const rows: Slot[][] = [];
  const slots = new Map<string, Slot>();
  const place = (id: string, row: number, width: number) => {
    while (rows.length <= row) rows.push([]);
    const slot = { id, width, x: 0, row };
    rows[row]!.push(slot);
    slots.set(id, slot);
  };
  for (const vertex of graph.vertices) if (vertex.kind !== "store") place(vertex.id, rowOf.get(vertex.id) ?? 0, kBoxWidth);

  // Long edges get a narrow slot in each row they pass, so that no box stands in their way.
  const ways = graph.edges.filter((edge) => edge.kind === "flow").map((edge) => {
    const way = [edge.from];
    const first = rowOf.get(edge.from) ?? 0;
    const last = rowOf.get(edge.to) ?? 0;
    for (let row = first + 1; row < last; row += 1) {
      const id = `${edge.from}>${edge.to}@${row}`;
      place(id, row, kPassWidth);
      way.push(id);
    }
    way.push(edge.to);
    return { edge, way };
  });

  // Each row in the order of the middle of what leads to it, and as close below it as there is room: few crossings,
  // straight lines where the flow is straight, and the same picture every time.
  const parents = new Map<string, string[]>();
  for (const { way } of ways) way.forEach((id, index) => index > 0 && parents.set(id, [...(parents.get(id) ?? []), way[index - 1]!]));
  const centre = (slot: Slot) => slot.x + slot.width / 2;
  rows.forEach((row, index) => {
    const wish = new Map<string, number>();
    for (const slot of row) {
      const above = (parents.get(slot.id) ?? []).map((id) => centre(slots.get(id)!));
      if (above.length > 0) wish.set(slot.id, above.reduce((sum, x) => sum + x, 0) / above.length - slot.width / 2);
    }
    row.sort((one, other) => (wish.get(one.id) ?? Infinity) - (wish.get(other.id) ?? Infinity) || 0);
    const all: Slot[] = [];
    for (const slot of row) {
      all.push(slot);
      for (const edge of graph.edges) {
        if (edge.kind !== "store" || edge.from !== slot.id || slots.has(edge.to)) continue;
        const store = { id: edge.to, width: kBoxWidth, x: 0, row: index };
        slots.set(edge.to, store);
        all.push(store);
      }
    }
    rows[index] = all;
    let free = -Infinity;
    for (const slot of all) {
      slot.x = Math.max(free, wish.get(slot.id) ?? (free === -Infinity ? 0 : free));
      free = slot.x + slot.width + kColumnGap;
    }
    // What had to move aside moved to the right: half of it is given back, so that the row stands in the middle.
    const wished = all.filter((slot) => wish.has(slot.id));
    const error = wished.reduce((sum, slot) => sum + slot.x - wish.get(slot.id)!, 0) / Math.max(1, wished.length);
    for (const slot of all) slot.x -= error;
  });

  const everything = rows.flat();
  const left = everything.reduce((least, slot) => Math.min(least, slot.x), Infinity);
  for (const slot of everything) slot.x -= left;
  const width = everything.reduce((most, slot) => Math.max(most, slot.x + slot.width), kBoxWidth);

  const top = (row: number) => kMargin + row * (kBoxHeight + kRowGap);
  const vertices = graph.vertices.flatMap((vertex) => {
    const slot = slots.get(vertex.id);
    return slot ? [{ ...vertex, x: slot.x + kMargin, y: top(slot.row) }] : [];
  });
  const edges: PlacedEdge[] = ways.map(({ edge, way }) => ({
    ...edge,
    path: way.flatMap((id, index) => {
      const slot = slots.get(id)!;
      const x = centre(slot) + kMargin;
      const y = top(slot.row);
      if (index === 0) return [{ x, y: y + kBoxHeight }];
      if (index === way.length - 1) return [{ x, y }];
      return [{ x, y }, { x, y: y + kBoxHeight }];
    }),
  }));
  for (const edge of graph.edges) {
    const from = slots.get(edge.from);
    const to = slots.get(edge.to);
    if (edge.kind !== "store" || !from || !to) continue;
    const y = (slot: Slot) => top(slot.row) + kBoxHeight / 2;
    const right = to.x >= from.x;
    edges.push({
      ...edge,
      path: [
        { x: from.x + (right ? from.width : 0) + kMargin, y: y(from) },
        { x: to.x + (right ? 0 : to.width) + kMargin, y: y(to) },
      ],
    });
  }
  return { width: width + 2 * kMargin, height: top(Math.max(0, rows.length - 1)) + kBoxHeight + kMargin, vertices, edges };
}
