// What the browser scripts share: counted checks, waiting from outside the page, and a browser.
import { chromium } from "playwright-core";

const kArguments = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export function require(condition, message) {
  if (!condition) throw new Error(message);
}

/** Runs named checks one after the other and counts them. */
export class Checks {
  passed = 0;
  failed = 0;

  async run(name, body) {
    try {
      const note = await body();
      this.passed += 1;
      console.log(`ok      ${name}${note ? `: ${note}` : ""}`);
    } catch (error) {
      this.failed += 1;
      console.log(`FAILED  ${name}: ${String(error.message ?? error).split("\n")[0]}`);
    }
  }
}

/**
 * Waits until `condition(argument)` holds in the page. Asked from outside: the page's Content-Security-Policy, rightly,
 * forbids the evaluation of texts that playwright's own waiting needs.
 */
export async function holds(page, condition, argument, timeoutMs) {
  const deadline = Date.now() + timeoutMs;
  while (!(await page.evaluate(condition, argument))) {
    require(Date.now() < deadline, `not within ${timeoutMs / 1_000} s: ${condition}`);
    await page.waitForTimeout(100);
  }
}

/** CHROMIUM names the executable where it is not /usr/bin/chromium, which refuses to start as root with its sandbox on. */
export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: kArguments, chromiumSandbox: process.getuid?.() !== 0 });
