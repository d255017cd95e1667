const channels = (color: string): number[] | null => {
  const hex = /^#([0-9a-f]{6})$/i.exec(color)?.[1];
  return hex ? [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)) : null;
};

/** `share` of the second colour in the first one. Colours are #rrggbb; anything else is returned as it is. */
export function mixColors(first: string, second: string, share: number): string {
  const from = channels(first);
  const to = channels(second);
  if (!from || !to) return first;
  return `#${from.map((value, i) => Math.round(value + (to[i]! - value) * share).toString(16).padStart(2, "0")).join("")}`;
}
