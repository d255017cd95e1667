import { useEffect, useState } from "react";

/** Colours that charts need as values; the style sheet is their only source. */
export interface Palette {
  ink: string;
  muted: string;
  line: string;
  surface: string;
  posts: string;
  users: string;
  retweets: string;
  up: string;
  down: string;
  font: string;
}

function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string) => style.getPropertyValue(name).trim();
  return {
    ink: value("--ink"), muted: value("--muted"), line: value("--line"), surface: value("--surface"),
    posts: value("--posts"), users: value("--users"), retweets: value("--retweets"),
    up: value("--good"), down: value("--down"), font: value("--font"),
  };
}

/** The palette of the current theme; changes when the root element's theme does. */
export function usePalette(): Palette {
  const [palette, setPalette] = useState(readPalette);
  useEffect(() => {
    const observer = new MutationObserver(() => setPalette(readPalette()));
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => observer.disconnect();
  }, []);
  return palette;
}
