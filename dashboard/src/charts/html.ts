const kEscapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** For text inside a tooltip, which is HTML: names come from records and may hold anything. */
export const escapeHtml = (value: string): string => value.replace(/[&<>"']/g, (sign) => kEscapes[sign]!);
