// The standard at a past date, as an auditor asks for it: one person changes a route's words, a second lets it take effect; which version was in
// force, its files as they stood, what differs. axe looks at every page, wide and narrow.
import assert from "node:assert/strict";
import { City } from "./city.mjs";
import { day, launch, login, look, NARROW, WIDE } from "./look.mjs";

const FILE = "procedures/take_out.toml";
const city = new City();
const browser = await launch();
try {
  await city.start();
  const system = (await login(browser, city, "system", WIDE)).page;
  // Examples and publication check take seconds; of a program built for tests, many.
  system.setDefaultTimeout(180_000);
  await system.goto(`${city.url}/packs/edit/file?path=${FILE}`);
  const text = await system.locator("#text").inputValue();
  assert.ok(text.includes('title = "許可"'), "the step that is changed");
  await system.fill("#text", text.replace('title = "許可"', 'title = "持出しの許可"'));
  await system.click("button:has-text('保存する')");
  await system.waitForURL(/done=file_saved/);
  await system.goto(`${city.url}/packs/edit/check`);
  await system.click("button:has-text('この内容で提案する')");
  await system.waitForURL(/\/packs\/proposals\/.*done=version_proposed/);
  const proposal = system.url().split("?")[0];
  const ciso = (await login(browser, city, "ciso", WIDE)).page;
  ciso.setDefaultTimeout(180_000);
  await ciso.goto(proposal);
  await look(ciso, "pack-proposal");
  await ciso.click("a:has-text('文書の違いを行ごとに見る')");
  await ciso.waitForURL(/\/packs\/compare/);
  assert.equal(await ciso.locator("table th[scope=row] a").innerText(), FILE);
  await ciso.goto(proposal);
  const warnings = ciso.locator("#acknowledged");
  if (await warnings.count()) await warnings.check();
  await ciso.click("button:has-text('確認して使い始める')");
  await ciso.waitForURL(/done=version_runs/);

  const { page } = await login(browser, city, "auditor", WIDE);
  const seen = async (name) => {
    for (const size of [WIDE, NARROW]) { await page.setViewportSize(size); await look(page, `${name}-${size.width}`); }
    await page.setViewportSize(WIDE);
  };
  await page.goto(`${city.url}/clauses`);
  await page.click("a:has-text('基準の版')");
  await page.waitForURL(/\/packs$/);
  await page.fill("#on", "昨年");
  await page.click("button:has-text('調べる')");
  await page.locator("#on-error").waitFor();
  await seen("packs-wrong-day");
  await page.fill("#on", day(0));
  await page.click("button:has-text('調べる')");
  const answer = page.locator("section[aria-labelledby=on-title]");
  assert.equal(await answer.locator("tbody tr").count(), 2, "two versions on the day of the change");
  await seen("packs-on-day");
  await answer.locator("a:has-text('今の版との違い')").click();
  await page.locator("h2", { hasText: "文書の違い（1件）" }).waitFor();
  await seen("packs-compare");
  await page.click(`a:has-text('${FILE}')`);
  const changed = async (mark) => (await page.locator(`tr.${mark} td.text`).allInnerTexts()).map((t) => t.trim());
  assert.deepEqual(await changed("removed"), ['title = "許可"']);
  assert.deepEqual(await changed("added"), ['title = "持出しの許可"']);
  await seen("packs-compare-file");
  await page.locator("dl.pairs a").first().click();
  await page.locator("h2", { hasText: "この版の文書" }).waitFor();
  await seen("packs-version");
  await page.click(`a:has-text('${FILE}')`);
  assert.equal(await page.locator("table.lines tbody tr").count(), text.replace(/\n$/, "").split("\n").length, "the file as it stood");
  await seen("packs-version-file");
} finally {
  await browser.close();
  await city.stop();
  city.remove();
}
console.log("the standard at a past date was looked at");
