// Somebody who has never seen the program: from a demo city that says it is ready to a permitted take-out. Every click, every field that is filled and
// every choice is an action; fewer than fifteen are enough.
import assert from "node:assert/strict";
import { City } from "./city.mjs";
import { day, launch, look, WIDE } from "./look.mjs";

/** Fewer than this. */
const ACTIONS = 15;
const city = new City();
const browser = await launch();
const actions = [];
try {
  await city.start();
  const begun = Date.now();
  const page = await (await browser.newContext({ viewport: WIDE, locale: "ja-JP", reducedMotion: "reduce" })).newPage();
  const click = async (target, words) => { await target.click(); actions.push(words); };
  const fill = async (label, text) => { await page.getByLabel(label).fill(text); actions.push(`${label}：${text}`); };
  const choose = async (label, index) => { await page.getByLabel(label).selectOption({ index }); actions.push(`${label}を選ぶ`); };

  await page.goto(city.url);
  await look(page, "newcomer-login");
  await click(page.locator("li", { hasText: city.login("staff").name }).getByRole("button"), "職員として入る");
  await click(page.locator(".card", { hasText: "庁外へ持ち出したい" }).getByRole("link", { name: "申請する" }), "持出しを申請する");
  await look(page, "newcomer-apply");
  await click(page.locator("table input[type=checkbox]").first(), "持ち出すものを選ぶ");
  await fill("持出しの目的", "避難所開設訓練での名簿の確認");
  await fill("持出先", "市民体育館");
  await fill("持出日", day(0));
  await fill("返却予定日", day(1));
  await choose("運搬の方法", 1);
  await choose("暗号化などの対策", 1);
  await click(page.getByRole("button", { name: "申請する" }), "申請する");
  await page.waitForURL(/\/cases\/.*done=applied/);
  const number = (await page.locator("ol.crumbs li").last().innerText()).trim();

  const boss = await (await browser.newContext({ viewport: WIDE, locale: "ja-JP", reducedMotion: "reduce" })).newPage();
  await boss.goto(city.url);
  await click(boss.locator("li", { hasText: city.login("manager").name }).getByRole("button"), "課長として入る");
  await click(boss.locator("tr", { hasText: number }).getByRole("link"), "案件を開く");
  await click(boss.getByRole("button", { name: "許可" }).first(), "許可する");
  await boss.waitForURL(/done=acted/);
  await page.reload();
  assert.match(await page.locator("#permit-title ~ dl").innerText(), /許可番号/, "the clerk sees the permit");
  actions.forEach((a, n) => console.log(`${String(n + 1).padStart(2)} ${a}`));
  assert.ok(actions.length < ACTIONS, `${actions.length} actions`);
  console.log(`a new user's path: ${actions.length} actions, ${((Date.now() - begun) / 1000).toFixed(1)} s by machine`);
} finally {
  await browser.close();
  await city.stop();
  city.remove();
}
