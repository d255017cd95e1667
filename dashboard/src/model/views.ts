import type { RequestKind, ViewRange, ViewValues } from "../api/types";
import { formatChange, formatCount, formatNumber } from "./format";

export interface Column {
  id: string;
  label: string;
  format: (value: number) => string;
}

/** What the tables of users and tickers show, in this order. */
export const kColumns: Record<RequestKind, readonly Column[]> = {
  user: [
    { id: "posts", label: "Posts", format: formatCount },
    { id: "retweets", label: "Retweets", format: formatCount },
    { id: "favorites", label: "Favourites", format: formatCount },
    { id: "sentiment_sum", label: "Sentiment sum", format: formatNumber },
    { id: "sentiment_avg", label: "Sentiment average", format: formatNumber },
  ],
  ticker: [
    { id: "days", label: "Days", format: formatCount },
    { id: "open", label: "Avg open", format: formatNumber },
    { id: "close", label: "Avg close", format: formatNumber },
    { id: "high", label: "Highest", format: formatNumber },
    { id: "low", label: "Lowest", format: formatNumber },
    { id: "day_change", label: "Change", format: formatChange },
    { id: "volume", label: "Avg volume", format: formatNumber },
  ],
};

export const cellOf = (values: Record<string, unknown> | null, column: Column): string => {
  const value = values?.[column.id];
  return typeof value === "number" ? column.format(value) : "–";
};
export const cellsOf = (values: ViewValues | Record<string, unknown> | null, kind: RequestKind): string[] => kColumns[kind].map((column) => cellOf(values, column));

export const kViewRanges: readonly { id: ViewRange; label: string; hint: string; phrase: string }[] = [
  { id: "week_with_today", label: "7 days", hint: "Today and the six days before", phrase: "in the seven days with today" },
  { id: "week", label: "Full week", hint: "The seven full days before today", phrase: "in the seven full days before today" },
  { id: "all_time", label: "All time", hint: "Everything that is kept", phrase: "so far" },
];
export const viewRangeOf = (id: string | undefined): (typeof kViewRanges)[number] => kViewRanges.find((range) => range.id === id) ?? kViewRanges[0]!;

/** What the state of a request means, and how it is coloured. */
export function requestState(state: string): { tone: "good" | "waiting" | "down"; text: string } {
  switch (state) {
    case "requested": return { tone: "waiting", text: "requested" };
    case "computing": return { tone: "waiting", text: "computing: the history is being loaded" };
    case "ready": return { tone: "good", text: "ready" };
    case "failed": return { tone: "down", text: "failed" };
    default: return { tone: "waiting", text: state };
  }
}
