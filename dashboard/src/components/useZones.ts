import { useMemo } from "react";
import { browserZone, isZone, kDefaultZone, zoneList } from "../model/zones";
import type { Option } from "./filterOptions";

/** The zones to choose from, with a word beside the browser's own. */
export function useZoneOptions(): Option[] {
  return useMemo(() => {
    const own = browserZone();
    return zoneList(own).map((value) => ({ value, hint: value === own ? "this browser" : undefined }));
  }, []);
}

export const zoneOf = (parameter: string | undefined): string => (parameter && isZone(parameter) ? parameter : kDefaultZone);
export const zoneParameter = (zone: string): string | undefined => (zone === kDefaultZone ? undefined : zone);
