const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const clocks = new Map<string, Intl.DateTimeFormat>();

export const formatCount = (value: number): string => whole.format(value);
export const formatCompact = (value: number): string => (Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value));
/** An estimate carries a sign that says so. */
export const formatEstimate = (value: number, exact: boolean | undefined): string => (exact === false ? `≈ ${whole.format(value)}` : whole.format(value));

function clock(zone: string, options: Intl.DateTimeFormatOptions, name: string): Intl.DateTimeFormat {
  const key = `${name} ${zone}`;
  let format = clocks.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options });
    clocks.set(key, format);
  }
  return format;
}

export const formatTime = (at: number, zone: string): string => clock(zone, { hour: "2-digit", minute: "2-digit" }, "time").format(at);
export const formatSeconds = (at: number, zone: string): string =>
  clock(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }, "seconds").format(at);
export const formatDay = (at: number, zone: string): string => clock(zone, { day: "numeric", month: "short" }, "day").format(at);
export const formatMoment = (at: number, zone: string): string => `${formatDay(at, zone)}, ${formatSeconds(at, zone)}`;

export function formatDuration(ms: number): string {
  const units: [number, string][] = [[86_400_000, "d"], [3_600_000, "h"], [60_000, "min"], [1_000, "s"]];
  for (const [size, unit] of units) if (ms >= size && ms % size === 0) return `${ms / size} ${unit}`;
  for (const [size, unit] of units) if (ms >= size) return `${(ms / size).toFixed(1)} ${unit}`;
  return `${ms} ms`;
}

/** For type-to-filter: case, accents, underscores and punctuation do not matter. */
export const foldText = (value: string): string =>
  value.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim();

const collator = new Intl.Collator("en", { sensitivity: "variant", numeric: true });
export const sortNames = (names: Iterable<string>): string[] => [...new Set(names)].sort(collator.compare);

const digits = new Map<number, Intl.NumberFormat>();
function fixed(value: number, most: number): string {
  let format = digits.get(most);
  if (!format) digits.set(most, (format = new Intl.NumberFormat("en", { maximumFractionDigits: most })));
  return format.format(value);
}

/** A number that may have a fraction, to about four digits. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  return size >= 100_000_000 ? compact.format(value) : fixed(value, size >= 1_000 ? 0 : size >= 10 ? 2 : size >= 0.1 ? 3 : 5);
}
/** A share, with its sign: +1.25 %. */
export const formatChange = (share: number): string => `${share > 0 ? "+" : ""}${fixed(share * 100, 2)} %`;
export const formatShare = (share: number): string => `${fixed(share * 100, 1)} %`;
