// The pages Trends, Users and tickers, Markets and Operations in a real browser against a running gateway.
//
//   node pages.mjs BASE_URL OUT_DIR [--empty] [--data-timeout SECONDS]
//
// Checks that each page shows data (or, with --empty, says in a sentence why there is none, with its axes drawn), that what
// is chosen is kept in the address, that no page is wider than a phone, and that the console stays free of errors.
// Screenshots are kept in OUT_DIR: each page on a desktop, in the dark and on a phone. The last line is 'N passed, N failed'.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Checks, holds, launch, require } from "./browser.mjs";

const given = process.argv.slice(2);
const empty = given.includes("--empty");
const at = given.indexOf("--data-timeout");
const dataTimeoutMs = (at < 0 ? 60 : Number(given[at + 1])) * 1_000;
const places = given.filter((word, index) => !word.startsWith("--") && (at < 0 || index !== at + 1));
if (places.length !== 2 || !(dataTimeoutMs > 0)) {
  console.error("usage: node pages.mjs BASE_URL OUT_DIR [--empty] [--data-timeout SECONDS]");
  process.exit(2);
}
const [baseUrl, outDir] = places;

// What has data on each page: an element by its test id, and the attribute that counts.
const kPages = [
  { id: "trends", title: "Trends", shows: [["topics-table", "data-rows"], ["chart-topics", "data-points"], ["languages-table", "data-rows"]], panels: ["topics", "languages"], charts: ["chart-topics"] },
  { id: "users", title: "Users and tickers", shows: [["users-table", "data-rows"], ["tickers-table", "data-rows"], ["chart-sentiment", "data-points"]], panels: ["users", "tickers", "requests"], charts: ["chart-sentiment"] },
  { id: "markets", title: "Markets", shows: [["chart-candles", "data-points"], ["symbols-table", "data-rows"], ["wages-table", "data-rows"]], panels: ["symbols", "wages"], charts: ["chart-candles"] },
  { id: "operations", title: "Operations", shows: [], panels: [], charts: [] },
];

await mkdir(outDir, { recursive: true });
const checks = new Checks();
const browser = await launch();
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: "light", locale: "en-GB", timezoneId: "America/Toronto" });
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  // What the gateway answers with 4xx is an answer and shown as one; the browser also writes it into its console.
  page.on("console", (message) => message.type() === "error" && !message.text().startsWith("Failed to load resource") && complaints.push(message.text()));
  const shot = (name) => page.screenshot({ path: join(outDir, `${name}${empty ? "-empty" : ""}.png`), fullPage: true });
  const counted = async ([id, attribute]) => {
    await holds(page, ([testId, name]) => Number(document.querySelector(`[data-testid="${testId}"]`)?.getAttribute(name)) > 0, [id, attribute], dataTimeoutMs);
    return `${id} ${await page.getByTestId(id).getAttribute(attribute)}`;
  };
  // The address is changed and not loaded anew, as a link in the page does it.
  const open = async (hash, heading) => {
    await page.evaluate((next) => { location.hash = next; }, hash);
    if (heading) await holds(page, (title) => document.title.startsWith(title), heading, dataTimeoutMs);
  };

  await checks.run("the page opens", async () => {
    const answer = await page.goto(baseUrl, { waitUntil: "domcontentloaded", timeout: dataTimeoutMs });
    require(answer?.ok(), `status ${answer?.status()}`);
    await page.getByRole("navigation", { name: "Pages" }).waitFor({ timeout: dataTimeoutMs });
  });

  for (const { id, title, shows, panels, charts } of kPages) {
    await checks.run(`${title} can be reached by its link`, async () => {
      await page.getByRole("link", { name: title, exact: true }).click({ timeout: dataTimeoutMs });
      await holds(page, (start) => document.title.startsWith(start), title, dataTimeoutMs);
      await page.getByRole("heading", { level: 1 }).waitFor({ timeout: dataTimeoutMs });
    });
    if (empty) {
      await checks.run(`${title} says why it is empty`, async () => {
        const notes = [];
        for (const panel of panels) {
          await holds(page, (testId) => /\.$/.test(document.querySelector(`[data-testid="${testId}"][data-empty="yes"] .section-note`)?.textContent ?? ""), panel, dataTimeoutMs);
          notes.push(await page.getByTestId(panel).locator(".section-note").textContent());
        }
        for (const chart of charts) {
          await holds(page, (testId) => {
            const box = document.querySelector(`[data-testid="${testId}"]`);
            const note = box?.parentElement?.querySelector(".chart-overlay")?.textContent ?? "";
            return box?.querySelector("svg path") !== null && /\.$/.test(note);
          }, chart, dataTimeoutMs);
        }
        return notes[0];
      });
    } else {
      for (const what of shows) await checks.run(`${title} shows data: ${what[0]}`, () => counted(what));
      await checks.run(`${title} says in words what its charts show`, async () => {
        for (const chart of charts) {
          const label = await page.getByTestId(chart).getAttribute("aria-label");
          require(label && /\d/.test(label), `${chart} is labelled '${label}'`);
        }
      });
    }
    if (id === "operations" && !empty) {
      await checks.run("Operations shows topology, tasks and stores", async () => {
        await page.getByTestId("topology").locator("svg").first().waitFor({ timeout: dataTimeoutMs });
        await page.getByTestId("tasks").locator("tbody tr").first().waitFor({ timeout: dataTimeoutMs });
        await page.getByTestId("stores").locator("tbody tr").first().waitFor({ timeout: dataTimeoutMs });
      });
    }
    await checks.run(`${title} is drawn on a desktop, in the dark and on a phone`, async () => {
      await page.waitForTimeout(400);  // The entry animation ends; only the pictures need it.
      await shot(`${id}-desktop`);
      await page.emulateMedia({ colorScheme: "dark" });
      await holds(page, () => document.documentElement.dataset.theme === "dark", null, dataTimeoutMs);
      await shot(`${id}-dark`);
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize({ width: 390, height: 844 });
      await holds(page, () => document.documentElement.clientWidth <= 390, null, dataTimeoutMs);
      await page.waitForTimeout(400);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      await shot(`${id}-phone`);
      await page.setViewportSize({ width: 1280, height: 900 });
      require(overflow <= 0, `the phone view is ${overflow} px too wide`);
    });
  }

  if (!empty) {
    await checks.run("a topic is looked up and compared by keyboard, and the address keeps both", async () => {
      await open("#/trends", "Trends");
      await counted(["topics-table", "data-rows"]);
      const names = await page.getByTestId("topics-table").locator("tbody th button").allTextContents();
      // Not the first one, whose history is shown without a choice.
      const wanted = names.slice(1, 3);
      require(wanted.length === 2, "there are not two more topics to compare");
      for (const [label, name] of [["Topic", wanted[0]], ["Compared with", wanted[1]]]) {
        const field = page.getByRole("textbox", { name: label, exact: true });
        await field.fill(name);
        await field.press("Enter");
      }
      await holds(page, ([one, other]) => {
        const parameters = new URLSearchParams(location.hash.split("?")[1] ?? "");
        return parameters.get("topic") === one && parameters.get("topic2") === other;
      }, wanted, dataTimeoutMs);
      await holds(page, () => document.querySelector('[data-testid="chart-topics"]')?.getAttribute("data-series") === "2", null, dataTimeoutMs);
      await shot("trends-compared");
      return wanted.join(" and ");
    });
    await checks.run("a topic that nobody wrote about is said not to have been seen", async () => {
      await open("#/trends?topic=zzzunheardof");
      await holds(page, () => /was not seen in 7 days/.test(document.querySelector("main")?.textContent ?? ""), null, dataTimeoutMs);
    });
    await checks.run("a user's and a ticker's weeks open from their rows", async () => {
      await open("#/users", "Users and tickers");
      for (const kind of ["user", "ticker"]) {
        await counted([`${kind}s-table`, "data-rows"]);
        await page.getByTestId(`${kind}s-table`).locator("tbody th button").first().click({ timeout: dataTimeoutMs });
        await page.getByTestId(`${kind}-detail`).locator("tbody tr").nth(3).waitFor({ timeout: dataTimeoutMs });
      }
      require(new URL(page.url()).hash.includes("user="), "the address does not name the user");
      await shot("users-detail");
    });
    await checks.run("a history is asked for, and asked for again", async () => {
      const name = `browser_${Date.now() % 1_000_000}`;
      const field = page.getByRole("textbox", { name: "Name of the user" });
      for (const said of ["has been asked for", "had been asked for before"]) {
        await field.fill(name);
        await field.press("Enter");
        await holds(page, (text) => (document.querySelector('[data-testid="request-said"]')?.textContent ?? "").includes(text), said, dataTimeoutMs);
      }
      await holds(page, (text) => (document.querySelector('[data-testid="requests-table"]')?.textContent ?? "").includes(text), name, dataTimeoutMs);
      await shot("users-requested");
    });
    await checks.run("longer candles are chosen and a shared address opens the same view", async () => {
      await open("#/markets", "Markets");
      await counted(["chart-candles", "data-points"]);
      await page.getByRole("radio", { name: "5 min", exact: true }).check();
      await holds(page, () => location.hash.includes("interval=5m"), null, dataTimeoutMs);
      await page.getByTestId("symbols-table").locator("tbody th button").last().click({ timeout: dataTimeoutMs });
      await counted(["chart-candles", "data-points"]);
      const heading = await page.getByRole("heading", { level: 1 }).textContent();
      const other = await context.newPage();
      await other.goto(page.url());
      await other.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor({ timeout: dataTimeoutMs });
      require(await other.getByRole("radio", { name: "5 min", exact: true }).isChecked(), "the length of the candles differs");
      await other.close();
      return heading;
    });
    await checks.run("the prices are live", async () => {
      await holds(page, () => document.querySelector('[data-testid="status"]')?.textContent?.includes("live"), null, dataTimeoutMs);
    });
  }
  await checks.run("the console is free of errors", async () => {
    require(complaints.length === 0, complaints.slice(0, 3).join(" | "));
  });
} finally {
  await browser.close();
}
console.log(`${checks.passed} passed, ${checks.failed} failed`);
process.exit(checks.failed === 0 ? 0 : 1);
