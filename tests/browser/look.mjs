// What the browser tests share: a browser, a login, and a look at a page with axe.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
export const shots = process.argv[2] || "";
if (shots) mkdirSync(shots, { recursive: true });

export const WIDE = { width: 1280, height: 900 };
export const NARROW = { width: 390, height: 844 };
let count = 0;
/** Pages looked at so far. */
export const looked = () => count;

/** Chromium, with further arguments. */
export function launch(more = []) {
  const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
  assert.ok(executablePath, "Chromium is not installed");
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  return chromium.launch({ executablePath, args: [...args, ...more] });
}

/** axe on the page as it stands, and a picture when a folder was given. */
export async function look(page, name) {
  // Evaluated in an isolated world through the debugger, so that the page's CSP stays in force.
  await page.evaluate(axeSource + "; undefined");
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const told = found.violations.map((v) => `${v.id}: ${v.help}\n  ${v.nodes.slice(0, 3).map((n) => n.html).join("\n  ")}`);
  assert.deepEqual(told, [], `axe on ${name} (${page.url()})`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${name} scrolls sideways by ${wide} px`);
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  count += 1;
}

export async function login(browser, city, role, viewport) {
  const context = await browser.newContext({ viewport, locale: "ja-JP" });
  const page = await context.newPage();
  page.on("pageerror", (e) => assert.fail(`script error: ${e}`));
  const { login, password } = city.login(role);
  await page.goto(`${city.url}/login`);
  await page.fill("#login", login);
  await page.fill("#password", password);
  await page.click("button:has-text('ログイン')");
  await page.waitForURL(`${city.url}/`);
  return { context, page };
}

/** A date so many days from the city's today, as the form takes it. */
export function day(offset) {
  const d = new Date(Date.now() + offset * 86_400_000 + 9 * 3_600_000);
  return `${d.getUTCFullYear()}/${d.getUTCMonth() + 1}/${d.getUTCDate()}`;
}
