import type { Subtopology } from "../api/types";

export type VertexKind = "topic" | "source" | "processor" | "sink" | "store";

export interface Vertex {
  id: string;
  kind: VertexKind;
  name: string;
}

export interface Edge {
  from: string;
  to: string;
  /** A processor reads and writes its store: no direction to show. */
  kind: "flow" | "store";
}

export interface Graph {
  vertices: Vertex[];
  edges: Edge[];
}

/** The graph of one subtopology: its nodes, the topics they read and write, and the stores they use. */
export function graphOf(subtopology: Subtopology): Graph {
  const vertices = new Map<string, Vertex>();
  const edges: Edge[] = [];
  const add = (kind: VertexKind, name: string, side = ""): string => {
    const id = `${kind}${side}:${name}`;
    if (!vertices.has(id)) vertices.set(id, { id, kind, name });
    return id;
  };
  const ids = new Map<string, string>();
  for (const node of subtopology.nodes) ids.set(node.name, add(node.type, node.name));
  for (const node of subtopology.nodes) {
    const id = ids.get(node.name)!;
    for (const topic of node.topics ?? []) {
      // A topic that is both read and written here stands twice, so that the drawing has no loop through it.
      if (node.type === "sink") edges.push({ from: id, to: add("topic", topic, "-out"), kind: "flow" });
      else edges.push({ from: add("topic", topic, "-in"), to: id, kind: "flow" });
    }
    for (const store of node.stores ?? []) edges.push({ from: id, to: add("store", store), kind: "store" });
    for (const name of node.successors ?? []) {
      const to = ids.get(name);
      if (to) edges.push({ from: id, to, kind: "flow" });
    }
  }
  return { vertices: [...vertices.values()], edges };
}

/** For each topic written by one subtopology and read by another: the ids of the readers. */
export const subtopologyName = ({ application, id }: Subtopology): string => `${application} ${id}`;

/** The names of the subtopologies that read a topic. */
export function readersByTopic(subtopologies: readonly Subtopology[]): Map<string, string[]> {
  const readers = new Map<string, string[]>();
  for (const subtopology of subtopologies) {
    for (const node of subtopology.nodes) {
      if (node.type === "sink") continue;
      for (const topic of node.topics ?? []) readers.set(topic, [...(readers.get(topic) ?? []), subtopologyName(subtopology)]);
    }
  }
  return readers;
}
