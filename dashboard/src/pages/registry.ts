import { lazy, type ComponentType } from "react";
import type { Route } from "../routing/hash";
import { CitiesPage } from "./CitiesPage";

export interface PageProps {
  route: Route;
}

export interface PageEntry {
  id: string;
  title: string;
  component: ComponentType<PageProps>;
}

/** The pages in the order of the navigation; the first one is the start page. A page that is not here has no link. */
export const kPages: readonly PageEntry[] = [
  { id: "cities", title: "Cities", component: CitiesPage },
  { id: "operations", title: "Operations", component: lazy(() => import("./OperationsPage")) },
];
