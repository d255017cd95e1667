// The pages in a real browser against the dashboard's stand-in for the gateway, with data and without: what pages.mjs checks
// of a whole system, in a minute and without one.
//
//   node mock_pages.mjs OUT_DIR
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

const outDir = process.argv[2];
if (!outDir) {
  console.error("usage: node mock_pages.mjs OUT_DIR");
  process.exit(2);
}
const here = (path) => new URL(path, import.meta.url).pathname;
for (const [path, what] of [[process.env.CHROMIUM ?? "/usr/bin/chromium", "chromium"], [here("../../dashboard/dist/index.html"), "the built dashboard"], [here("node_modules/playwright-core"), "playwright-core"]]) {
  if (existsSync(path)) continue;
  console.log(`skipped: ${what} is not there; './run test' sees to it`);
  process.exit(77);
}

/** The exit code of pages.mjs against a stand-in that plays the scenario. */
async function play(scenario, more) {
  const mock = spawn(process.execPath, [here("../../dashboard/dev/mock-server.mjs"), "--port", "0", "--scenario", scenario], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const address = await new Promise((resolve, reject) => {
      createInterface({ input: mock.stdout }).on("line", (line) => resolve(/http:\S+/.exec(line)[0]));
      mock.on("exit", (code) => reject(new Error(`the stand-in ended with ${code}`)));
    });
    console.log(`--- ${scenario}`);
    const pages = spawn(process.execPath, [here("pages.mjs"), address, outDir, ...more], { stdio: "inherit" });
    return await new Promise((resolve) => pages.on("exit", (code) => resolve(code ?? 1)));
  } finally {
    mock.removeAllListeners("exit");
    mock.kill();
  }
}

const codes = [await play("normal", []), await play("empty", ["--empty"])];
process.exit(codes.every((code) => code === 0) ? 0 : 1);
