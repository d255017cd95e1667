export interface Range {
  id: string;
  label: string;
  /** As it reads inside a sentence: "in the last hour". */
  phrase: string;
  ms: number;
}

const kHour = 3_600_000;

export const kRanges: readonly Range[] = [
  { id: "1h", label: "1 h", phrase: "last hour", ms: kHour },
  { id: "3h", label: "3 h", phrase: "last 3 hours", ms: 3 * kHour },
  { id: "6h", label: "6 h", phrase: "last 6 hours", ms: 6 * kHour },
  { id: "24h", label: "24 h", phrase: "last 24 hours", ms: 24 * kHour },
];

export const rangeOf = (id: string | undefined): Range => kRanges.find((range) => range.id === id) ?? kRanges[0]!;
