// All pages against the running demo: each shows data within a minute of its being ready.
//
//   node demo_pages.mjs BASE_URL OUT_DIR [--within SECONDS]
//
// The five pages are opened side by side, as five readers would, and each waits for the elements that say that it has data.
// What is still missing after the time is named, with its page and with what the page says instead. A screenshot of each page
// is kept in OUT_DIR, of those that fail too. The last line is 'N passed, N failed'.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Checks, holds, launch, require } from "./browser.mjs";

const given = process.argv.slice(2);
const at = given.indexOf("--within");
const withinMs = (at < 0 ? 60 : Number(given[at + 1])) * 1_000;
const places = given.filter((word, index) => !word.startsWith("--") && (at < 0 || index !== at + 1));
if (places.length !== 2 || !(withinMs > 0)) {
  console.error("usage: node demo_pages.mjs BASE_URL OUT_DIR [--within SECONDS]");
  process.exit(2);
}
const [baseUrl, outDir] = places;

// An element by its test id and the attribute that counts what it shows, `least` of them. Charts must also have drawn a shape,
// tables a row.
const chart = (id, attribute = "data-points", least = 1) => ({ id, attribute, least, inside: "svg path" });
const table = (id) => ({ id, attribute: "data-rows", least: 1, inside: "tbody tr" });
const drawn = (id, inside) => ({ id, attribute: null, least: 0, inside });
const kPages = [
  { id: "cities", title: "Cities", shows: [chart("chart-posts"), chart("chart-active-users"), chart("chart-retweets"), chart("chart-top", "data-bars"), chart("chart-worst", "data-bars")] },
  { id: "trends", title: "Trends", shows: [table("topics-table"), chart("chart-topics"), table("languages-table")] },
  { id: "users", title: "Users and tickers", shows: [table("users-table"), table("tickers-table"), chart("chart-sentiment")] },
  { id: "markets", title: "Markets", shows: [chart("chart-candles", "data-points", 45), table("symbols-table"), table("wages-table")] },
  { id: "operations", title: "Operations", shows: [drawn("topology", "svg path"), drawn("tasks", "tbody tr"), drawn("stores", "tbody tr")] },
];

/** Whether the element is there, counts something, and has something with a size in it. Runs in the page. */
const shown = ({ id, attribute, least, inside }) => {
  const box = document.querySelector(`[data-testid="${id}"]`);
  if (!box || (attribute && !(Number(box.getAttribute(attribute)) >= least))) return false;
  return [...box.querySelectorAll(inside)].some((part) => part.getBoundingClientRect().width > 0);
};
/** What the page says in place of the element. */
const said = (id) => (document.querySelector(`[data-testid="${id}"]`)?.closest(".card, section") ?? document.querySelector("main") ?? document.body).innerText.replace(/\s+/g, " ").slice(0, 200);

await mkdir(outDir, { recursive: true });
const checks = new Checks();
const browser = await launch();
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: "light", locale: "en-GB", timezoneId: "America/Toronto" });
  const started = Date.now();
  const deadline = started + withinMs;
  await Promise.all(kPages.map(async ({ id, title, shows }) => {
    const page = await context.newPage();
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(`${baseUrl}/#/${id}`, { waitUntil: "domcontentloaded", timeout: withinMs });
    for (const what of shows) {
      await checks.run(`${title}: ${what.id} has data`, async () => {
        try {
          await holds(page, shown, what, Math.max(deadline - Date.now(), 0));
        } catch (error) {
          throw new Error(`the page '${title}' shows no data in ${what.id} within ${withinMs / 1_000} s; it says: ${await page.evaluate(said, what.id)}`);
        }
        const count = what.attribute ? await page.getByTestId(what.id).getAttribute(what.attribute) : await page.getByTestId(what.id).locator(what.inside).count();
        return `${count}, ${((Date.now() - started) / 1_000).toFixed(1)} s after the start`;
      });
    }
    await checks.run(`${title}: no error in the page`, async () => require(complaints.length === 0, complaints.join(" | ")));
    await page.waitForTimeout(600);  // The entry animation ends; only the picture needs it.
    await page.screenshot({ path: join(outDir, `demo-${id}.png`), fullPage: true });
  }));
} finally {
  await browser.close();
}
console.log(`${checks.passed} passed, ${checks.failed} failed`);
process.exit(checks.failed === 0 ? 0 : 1);
