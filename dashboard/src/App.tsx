import { Suspense, useEffect, useRef } from "react";
import { ErrorBoundary } from "./components/ErrorBoundary";
import { Header } from "./components/Header";
import { kPages } from "./pages/registry";
import { useRoute } from "./routing/useRoute";

export function App() {
  const route = useRoute();
  const page = kPages.find((entry) => entry.id === route.page);
  const start = kPages[0]!;
  const shown = page ?? (route.page === "" ? start : undefined);
  const left = useRef<Record<string, Record<string, string>>>({});
  if (shown) left.current[shown.id] = route.parameters;

  useEffect(() => {
    document.title = shown ? `${shown.title} · Tailrace` : "Tailrace";
  }, [shown]);

  const Page = shown?.component;
  return (
    <>
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to content</a>
      <Header pages={kPages} current={shown?.id ?? ""} parametersOf={(id) => left.current[id] ?? {}} />
      <main id="main" tabIndex={-1}>
        <ErrorBoundary key={shown?.id ?? "none"}>
          {Page ? (
            <Suspense fallback={<p className="quiet">Loading…</p>}><Page route={route} /></Suspense>
          ) : (
            <div className="page-head"><div><h1>No such page</h1><p className="lede">Nothing is at “{route.page}”. <a href="#/">Go to {start.title}</a></p></div></div>
          )}
        </ErrorBoundary>
      </main>
    </>
  );
}
