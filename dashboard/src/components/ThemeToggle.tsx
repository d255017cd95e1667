import { useTheme, type ThemeChoice } from "./theme";

const kNext: Record<ThemeChoice, ThemeChoice> = { system: "light", light: "dark", dark: "system" };
const kIcons: Record<ThemeChoice, string> = {
  system: "M3 4h14v9H3zM7 17h6M10 13v4",
  light: "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6 16 16M16 4l-1.4 1.4M5.4 14.6 4 16",
  dark: "M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5z",
};

export function ThemeToggle() {
  const [choice, choose] = useTheme();
  const label = `Theme: ${choice}. Switch to ${kNext[choice]}.`;
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} onClick={() => choose(kNext[choice])}>
      <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true"><path d={kIcons[choice]} fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" /></svg>
    </button>
  );
}
