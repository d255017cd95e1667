/** The address after '#': a page and its parameters, such as `#/cities?city=Toronto%2C%20Ontario&range=3h`. */
export interface Route {
  page: string;
  parameters: Record<string, string>;
}

export function parseHash(hash: string): Route {
  const text = hash.replace(/^#\/?/, "");
  const split = text.indexOf("?");
  const page = split < 0 ? text : text.slice(0, split);
  const parameters: Record<string, string> = {};
  if (split >= 0) {
    for (const [name, value] of new URLSearchParams(text.slice(split + 1))) parameters[name] = value;
  }
  return { page: page.replace(/\/+$/, ""), parameters };
}

export function formatHash(page: string, parameters: Record<string, string | undefined> = {}): string {
  const query = new URLSearchParams();
  for (const name of Object.keys(parameters).sort()) {
    const value = parameters[name];
    if (value !== undefined && value !== "") query.set(name, value);
  }
  const text = query.toString();
  return `#/${page}${text ? `?${text}` : ""}`;
}
