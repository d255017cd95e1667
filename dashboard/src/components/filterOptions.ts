import { foldText } from "../model/format";

export interface Option {
  value: string;
  /** Shown beside the value. */
  hint?: string;
}

/** Rows drawn at once; the rest is reached by typing. */
export const kShownOptionsMax = 120;

/** Options whose words start with the typed words come first, then those that merely hold them. Order is kept otherwise. */
export function filterOptions(options: readonly Option[], typed: string): Option[] {
  const wanted = foldText(typed);
  if (wanted === "") return [...options];
  const starts: Option[] = [];
  const holds: Option[] = [];
  for (const option of options) {
    const text = ` ${foldText(`${option.value} ${option.hint ?? ""}`)}`;
    if (text.includes(` ${wanted}`)) starts.push(option);
    else if (text.includes(wanted)) holds.push(option);
  }
  return [...starts, ...holds];
}
