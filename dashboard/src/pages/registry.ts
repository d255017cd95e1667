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
  { id: "trends", title: "Trends", component: lazy(() => import("./TrendsPage")) },
  { id: "users", title: "Users and tickers", component: lazy(() => import("./UsersPage")) },
  { id: "markets", title: "Markets", component: lazy(() => import("./MarketsPage")) },
  { id: "operations", title: "Operations", component: lazy(() => import("./OperationsPage")) },
];
