// The Cities and Operations pages in a real browser against a running gateway.
//
//   node cities.mjs BASE_URL OUT_DIR [--follow-timeout SECONDS] [--data-timeout SECONDS]
//
// Checks that three lines and two bars show data, that a new window is followed without a reload, that the browser's
// console stays free of errors, and keeps screenshots in OUT_DIR. The last line is 'N passed, N failed'.
// CHROMIUM names the browser's executable where it is not /usr/bin/chromium.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

const kFlags = new Map([["--follow-timeout", 420], ["--data-timeout", 60]]);
const places = [];
const given = process.argv.slice(2);
for (let i = 0; i < given.length; i += 1) {
  if (!kFlags.has(given[i])) places.push(given[i]);
  else kFlags.set(given[i], Number(given[(i += 1)]));
}
const [baseUrl, outDir] = places;
if (!baseUrl || !outDir || places.length > 2 || [...kFlags.values()].some((seconds) => !(seconds > 0))) {
  console.error("usage: node cities.mjs BASE_URL OUT_DIR [--follow-timeout SECONDS] [--data-timeout SECONDS]");
  process.exit(2);
}
const dataTimeoutMs = kFlags.get("--data-timeout") * 1_000;
const followTimeoutMs = kFlags.get("--follow-timeout") * 1_000;

const kLines = ["chart-posts", "chart-active-users", "chart-retweets"];
const kBars = ["chart-top", "chart-worst"];
const kArguments = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

let passed = 0;
let failed = 0;
async function check(name, body) {
  try {
    const note = await body();
    passed += 1;
    console.log(`ok      ${name}${note ? `: ${note}` : ""}`);
    return true;
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${String(error.message ?? error).split("\n")[0]}`);
    return false;
  }
}
function require(condition, message) {
  if (!condition) throw new Error(message);
}

/**
 * Waits until `condition(argument)` holds in the page. Asked from outside: the page's Content-Security-Policy, rightly,
 * forbids the evaluation of texts that playwright's own waiting needs.
 */
async function holds(page, condition, argument, timeoutMs) {
  const deadline = Date.now() + timeoutMs;
  while (!(await page.evaluate(condition, argument))) {
    require(Date.now() < deadline, `not within ${timeoutMs / 1_000} s: ${condition}`);
    await page.waitForTimeout(100);
  }
}

/** The number in a chart's attribute, once it is above zero. */
async function drawn(page, id, attribute) {
  const chart = page.getByTestId(id);
  await chart.waitFor({ timeout: dataTimeoutMs });
  await holds(page, ([testId, name]) => Number(document.querySelector(`[data-testid="${testId}"]`)?.getAttribute(name)) > 0,
    [id, attribute], dataTimeoutMs);
  return Number(await chart.getAttribute(attribute));
}

/** The picture itself, not only the attribute that describes it: shapes filled or stroked in the series' colour. */
async function shapes(page, id) {
  return page.getByTestId(id).evaluate((box) =>
    [...box.querySelectorAll("svg path")].filter((path) => path.getBBox().width > 0 && path.getBBox().height >= 0).length);
}

await mkdir(outDir, { recursive: true });
// Chromium refuses to start as root with its sandbox on.
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: kArguments, chromiumSandbox: process.getuid?.() !== 0,
});
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: "light", locale: "en-GB", timezoneId: "America/Toronto" });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  let loads = 0;
  page.on("domcontentloaded", () => { loads += 1; });
  const shot = (name) => page.screenshot({ path: join(outDir, `${name}.png`), fullPage: true });

  await check("the page opens", async () => {
    const answer = await page.goto(baseUrl, { waitUntil: "domcontentloaded", timeout: 30_000 });
    require(answer?.ok(), `status ${answer?.status()}`);
  });
  for (const id of kLines) {
    await check(`${id} shows a line`, async () => {
      const points = await drawn(page, id, "data-points");
      require((await shapes(page, id)) > 0, "nothing is drawn");
      return `${points} points, last ${await page.getByTestId(id).getAttribute("data-last")}`;
    });
  }
  for (const id of kBars) {
    await check(`${id} shows bars`, async () => {
      const bars = await drawn(page, id, "data-bars");
      require((await shapes(page, id)) > 0, "nothing is drawn");
      return `${bars} bars`;
    });
  }
  await check("every chart says in words what it shows", async () => {
    for (const id of [...kLines, ...kBars]) {
      const label = await page.getByTestId(id).getAttribute("aria-label");
      require(label && /\d/.test(label), `${id} is labelled '${label}'`);
    }
  });
  await check("the live stream is up", async () => {
    await page.getByTestId("status").filter({ hasText: "live" }).waitFor({ timeout: 20_000 });
  });
  await page.waitForTimeout(600);  // The entry animation ends; only the pictures need it.
  await shot("cities-desktop");

  await check("a city can be found by typing", async () => {
    const picker = page.getByRole("combobox", { name: "City" });
    const before = await picker.inputValue();
    await picker.click();
    const options = page.getByRole("listbox", { name: "City" }).getByRole("option");
    const count = await options.count();
    const last = (await options.nth(count - 1).locator("span").first().textContent()) ?? "";
    await picker.fill(last.toUpperCase());
    await picker.press("Enter");
    await page.getByRole("heading", { level: 1, name: last, exact: true }).waitFor({ timeout: 5_000 });
    require(new URL(page.url()).hash.includes("city=") || last === before, "the address does not name the city");
    await drawn(page, "chart-posts", "data-points");
    return `${count} cities, chose ${last}`;
  });
  await check("range and order are kept in the address", async () => {
    await page.getByRole("radio", { name: "3 h" }).check();
    await page.getByRole("radio", { name: "Most" }).check();
    await holds(page, () => location.hash.includes("range=3h") && location.hash.includes("worst=desc"), null, 5_000);
    await drawn(page, "chart-worst", "data-bars");
  });
  await check("two choices made one right after the other show at once and both stay", async () => {
    const shown = await page.evaluate(() => {
      const radio = (label) => [...document.querySelectorAll('input[type="radio"]')].find((input) => input.labels?.[0]?.textContent?.includes(label));
      const [day, fewest] = [radio("24 h"), radio("Fewest")];
      day.click();
      fewest.click();
      return [day.checked, fewest.checked, location.hash];
    });
    require(shown[0] && shown[1] && shown[2].includes("range=24h") && !shown[2].includes("worst="), `shown: ${shown}`);
    await page.getByRole("radio", { name: "3 h" }).check();
  });
  await check("a shared address opens the same view", async () => {
    const other = await context.newPage();
    await other.goto(page.url());
    const heading = await page.getByRole("heading", { level: 1 }).textContent();
    await other.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor({ timeout: 10_000 });
    require(await other.getByRole("radio", { name: "3 h" }).isChecked(), "the range differs");
    await other.close();
  });

  await check("a new window is followed without a reload", async () => {
    // Back to the most active city: a small one may be silent for a whole window.
    await page.evaluate(() => { location.hash = "#/cities"; });
    await drawn(page, "chart-posts", "data-points");
    const chart = page.getByTestId("chart-posts");
    const last = await chart.getAttribute("data-last");
    const loadsBefore = loads;
    await holds(
      page,
      (before) => (document.querySelector('[data-testid="chart-posts"]')?.getAttribute("data-last") ?? "") > before,
      last, followTimeoutMs,
    );
    require(loads === loadsBefore, "the page was loaded again");
    return `from ${last} to ${await chart.getAttribute("data-last")}`;
  });

  await check("dark and phone views are drawn", async () => {
    await page.emulateMedia({ colorScheme: "dark" });
    await holds(page, () => document.documentElement.dataset.theme === "dark", null, 5_000);
    await page.waitForTimeout(600);
    await shot("cities-dark");
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 390, height: 844 });
    await page.waitForTimeout(600);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    require(overflow <= 0, `the phone view is ${overflow} px too wide`);
    await shot("cities-phone");
    await page.setViewportSize({ width: 1280, height: 900 });
  });

  await check("the operations page shows topology and tasks", async () => {
    await page.getByRole("link", { name: "Operations" }).click();
    await page.getByTestId("topology").locator("svg").first().waitFor({ timeout: 15_000 });
    await page.getByTestId("tasks").locator("tbody tr").first().waitFor({ timeout: 15_000 });
    await page.waitForTimeout(300);
    await shot("operations-desktop");
    const tasks = await page.getByTestId("tasks").locator("tbody tr").count();
    await page.setViewportSize({ width: 390, height: 844 });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    require(overflow <= 0, `the phone view is ${overflow} px too wide`);
    await shot("operations-phone");
    return `${tasks} tasks`;
  });
  await check("the console is free of errors", async () => {
    require(complaints.length === 0, complaints.slice(0, 3).join(" | "));
  });
} finally {
  await browser.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
