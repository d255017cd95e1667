import { useMemo } from "react";
import type { Subtopology, Topology } from "../api/types";
import { DataTable } from "../charts/DataTable";
import { graphOf, readersByTopic, subtopologyName, type VertexKind } from "./graphModel";
import { kBoxHeight, kBoxWidth, layoutGraph, type PlacedEdge, type PlacedVertex } from "./layout";

const kNameCharacters = 31;
const kKinds: Record<VertexKind, string> = { topic: "topic", source: "source", processor: "processor", sink: "sink", store: "store" };

/** Node names differ at their ends, so a long one loses its middle. */
const shorten = (name: string): string =>
  name.length <= kNameCharacters ? name : `${name.slice(0, kNameCharacters - 13)}…${name.slice(-12)}`;

function curve({ path, kind }: PlacedEdge): string {
  const [first, ...rest] = path;
  if (!first) return "";
  let drawn = `M${first.x} ${first.y}`;
  let at = first;
  for (const next of rest) {
    if (kind === "store" && at.y === next.y) drawn += `H${next.x}`;
    else {
      const middle = (at.y + next.y) / 2;
      drawn += `C${at.x} ${middle} ${next.x} ${middle} ${next.x} ${next.y}`;
    }
    at = next;
  }
  return drawn;
}

function Box({ vertex, note }: { vertex: PlacedVertex; note: string }) {
  const { x, y, kind, name } = vertex;
  const radius = kind === "topic" ? kBoxHeight / 2 : 7;
  return (
    <g className={`vertex vertex-${kind}`} transform={`translate(${x} ${y})`}>
      <title>{`${kKinds[kind]} ${name}`}</title>
      {kind === "store" ? (
        <path d={`M0 7c0-9 ${kBoxWidth}-9 ${kBoxWidth} 0v${kBoxHeight - 14}c0 9-${kBoxWidth} 9-${kBoxWidth} 0zM0 7c0 9 ${kBoxWidth} 9 ${kBoxWidth} 0`} />
      ) : (
        <rect width={kBoxWidth} height={kBoxHeight} rx={radius} />
      )}
      <text className="vertex-kind" x={kBoxWidth / 2} y={kind === "store" ? 25 : 18}>{note}</text>
      <text className="vertex-name" x={kBoxWidth / 2} y={kind === "store" ? 38 : 34}>{shorten(name)}</text>
    </g>
  );
}

function SubtopologyGraph({ subtopology, readers }: { subtopology: Subtopology; readers: Map<string, string[]> }) {
  const drawing = useMemo(() => layoutGraph(graphOf(subtopology)), [subtopology]);
  const noteOf = (vertex: PlacedVertex): string => {
    if (vertex.kind !== "topic" || !vertex.id.startsWith("topic-out")) return kKinds[vertex.kind];
    const onward = readers.get(vertex.name);
    return onward ? `topic, read by subtopology ${onward.join(", ")}` : "topic";
  };
  const name = subtopologyName(subtopology);
  const marker = `arrow-${name.replace(/[^A-Za-z0-9_-]/g, "-")}`;
  const counted = (kind: VertexKind) => drawing.vertices.filter((vertex) => vertex.kind === kind).length;
  return (
    <figure className="subtopology">
      <figcaption>Subtopology {name}</figcaption>
      <div className="graph-scroll">
        <svg
          width={drawing.width} height={drawing.height} viewBox={`0 0 ${drawing.width} ${drawing.height}`} role="img"
          aria-label={`Graph of subtopology ${name}: ${counted("source")} sources, ${counted("processor")} processors, ${counted("sink")} sinks, ${counted("store")} stores. The table below lists them.`}
        >
          <defs>
            <marker id={marker} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
              <path d="M1 1l6 3-6 3" className="arrow" />
            </marker>
          </defs>
          {drawing.edges.map((edge) => (
            <path key={`${edge.from} ${edge.to}`} className={`edge edge-${edge.kind}`} d={curve(edge)} markerEnd={edge.kind === "flow" ? `url(#${marker})` : undefined} />
          ))}
          {drawing.vertices.map((vertex) => <Box key={vertex.id} vertex={vertex} note={noteOf(vertex)} />)}
        </svg>
      </div>
      <DataTable
        caption={`Nodes of subtopology ${name}`} columns={["Node", "Type", "Topics", "Stores", "Leads to"]}
        rows={subtopology.nodes.map((node) => [
          node.name, node.type, (node.topics ?? []).join(", "), (node.stores ?? []).join(", "), (node.successors ?? []).join(", "),
        ])}
      />
    </figure>
  );
}

/** Of several applications only the first is open: eight of them are ten screens long. */
export function TopologyGraph({ topology }: { topology: Topology }) {
  const readers = useMemo(() => readersByTopic(topology.subtopologies), [topology]);
  const applications = [...new Set(topology.subtopologies.map((subtopology) => subtopology.application))];
  const graphsOf = (application: string) => (
    <div className="subtopologies">
      {topology.subtopologies.filter((subtopology) => subtopology.application === application)
        .map((subtopology) => <SubtopologyGraph key={subtopologyName(subtopology)} subtopology={subtopology} readers={readers} />)}
    </div>
  );
  return (
    <>
      <div data-testid="topology">
        {applications.length === 1 && applications[0] !== undefined ? graphsOf(applications[0]) : applications.map((application, place) => (
          <details key={application} className="text-form" open={place === 0}>
            <summary>{application}</summary>
            {graphsOf(application)}
          </details>
        ))}
      </div>
      {topology.text && (
        <details className="text-form">
          <summary>Text form</summary>
          <pre>{topology.text}</pre>
        </details>
      )}
    </>
  );
}
