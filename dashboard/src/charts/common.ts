import type { Palette } from "./palette";

const calm = (): boolean => typeof matchMedia === "function" && matchMedia("(prefers-reduced-motion: reduce)").matches;

export const baseOption = (palette: Palette) => ({
  animation: !calm(),
  animationDuration: 250,
  animationDurationUpdate: 250,
  textStyle: { fontFamily: palette.font, color: palette.muted, fontSize: 12 },
});

export const tooltipStyle = (palette: Palette) => ({
  confine: true,
  backgroundColor: palette.surface,
  borderColor: palette.line,
  borderWidth: 1,
  padding: [8, 10],
  textStyle: { color: palette.ink, fontSize: 12, fontFamily: palette.font },
  extraCssText: "border-radius:8px;box-shadow:0 4px 16px rgb(0 0 0 / .12);",
  transitionDuration: 0,
});
