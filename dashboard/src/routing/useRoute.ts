import { useCallback, useEffect, useState } from "react";
import { formatHash, parseHash, type Route } from "./hash";

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseHash(window.location.hash));
  useEffect(() => {
    const onChange = () => setRoute(parseHash(window.location.hash));
    window.addEventListener("hashchange", onChange);
    return () => window.removeEventListener("hashchange", onChange);
  }, []);
  return route;
}

/** Changes parameters of the current page in the address. A value equal to its default is given as undefined and left out. */
export function useSetParameters(route: Route, page: string): (changes: Record<string, string | undefined>) => void {
  return useCallback(
    (changes) => {
      window.location.hash = formatHash(page, { ...route.parameters, ...changes });
    },
    [route, page],
  );
}
