import type { PageEntry } from "../pages/registry";
import { formatHash } from "../routing/hash";
import { ThemeToggle } from "./ThemeToggle";

interface Props {
  pages: readonly PageEntry[];
  current: string;
  /** Parameters that the page in question was last left with, so that a visit elsewhere loses nothing. */
  parametersOf: (page: string) => Record<string, string>;
}

export function Header({ pages, current, parametersOf }: Props) {
  return (
    <header className="site-head">
      <a className="brand" href="#/" aria-label="Tailrace, start page">
        <svg width="28" height="28" viewBox="0 0 32 32" aria-hidden="true">
          <rect width="32" height="32" rx="8" fill="var(--brand)" />
          <path d="M6 11c5 0 5 0 9 0s5 10 11 10M6 16c4 0 5 0 7 0s5 8 9 9M6 6h12c4 0 5 9 8 10" fill="none" stroke="var(--on-brand)" strokeWidth="2.4" strokeLinecap="round" />
        </svg>
        <span>Tailrace</span>
      </a>
      <nav aria-label="Pages">
        {pages.map((page) => (
          <a key={page.id} href={formatHash(page.id, parametersOf(page.id))} aria-current={page.id === current ? "page" : undefined}>{page.title}</a>
        ))}
      </nav>
      <ThemeToggle />
    </header>
  );
}
