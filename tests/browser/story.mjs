// The first thread as its users walk it. Fails with a non-zero status at the first thing that is not as it should be.
import assert from "node:assert/strict";
import { City } from "./city.mjs";
import { NARROW, WIDE, day, launch, login, look, looked } from "./look.mjs";

const city = new City();
const browser = await launch();
try {
  await city.start();

  // Nobody gets in with a wrong password, and the page does not say which part was wrong.
  const stranger = await browser.newPage({ viewport: WIDE });
  await stranger.goto(`${city.url}/cases`);
  assert.ok(stranger.url().includes("/login?next="), "a page without login leads to the login");
  await look(stranger, "01-login");
  await stranger.fill("#login", "nobody");
  await stranger.fill("#password", "wrong password");
  await stranger.click("button:has-text('ログイン')");
  await stranger.waitForSelector("[role=alert]");
  await look(stranger, "02-login-refused");
  await stranger.close();

  // The clerk applies.
  const clerk = await login(browser, city, "staff", WIDE);
  let page = clerk.page;
  await look(page, "03-home-clerk");
  await page.click("a[href='/apply/take_out']");
  await look(page, "04-apply");
  await page.click("button:has-text('申請する')");
  await page.waitForSelector(".notice.error");
  await look(page, "05-apply-errors");
  await page.fill("main input[type=search]", "台帳");
  await page.click("button:has-text('探す')");
  const found = page.locator("table:has(caption:has-text('見つかったもの')) input[type=checkbox]");
  assert.ok((await found.count()) > 0, "the search finds assets of the clerk's section");
  await found.first().check();
  await page.click("button:has-text('チェックしたものを入れる')");
  await look(page, "06-apply-item-chosen");
  await page.fill("#purpose", "避難所開設訓練での名簿の確認");
  await page.fill("#destination", "市民体育館");
  for (const choice of await page.locator("main select").all()) await choice.selectOption({ index: 1 });
  await page.fill("#from", day(0));
  await page.fill("#return_by", day(1));
  for (const box of await page.locator("main form > .field input[type=checkbox]").all()) {
    if ((await box.getAttribute("id")) !== "blanket") await box.check();
  }
  await page.click("button:has-text('下書きを保存')");
  await page.waitForURL(/draft=/);
  assert.equal(await page.inputValue("#destination"), "市民体育館", "the draft keeps what was typed");
  await page.click("button:has-text('申請する')");
  await page.waitForURL(/\/cases\/.*done=applied/);
  await look(page, "07-case-applied");
  const address = page.url().split("?")[0];
  const number = (await page.locator("ol.crumbs li").last().innerText()).trim();
  const title = await page.locator("h1").innerText();

  // Own approval: no button, and a forged form is refused.
  assert.equal(await page.locator("button[value=permit]").count(), 0, "the applicant has no permit button");
  const csrf = await page.locator("input[name=csrf]").first().inputValue();
  const forged = await clerk.context.request.post(address, { form: { csrf, do: "permit", step: "permit", shown: "" }, headers: { origin: city.url } });
  assert.ok([403, 422].includes(forged.status()), `a forged own approval is refused, got ${forged.status()}`);
  const stolen = await clerk.context.request.post(address, { form: { csrf: "0".repeat(32), do: "permit", step: "permit" }, headers: { origin: city.url } });
  assert.equal(stolen.status(), 403, "a form without the session's token is refused");

  // The manager permits on a narrow screen.
  const manager = await login(browser, city, "manager", NARROW);
  page = manager.page;
  await look(page, "08-home-manager-narrow");
  await page.goto(`${city.url}/inbox`);
  await look(page, "09-inbox-narrow");
  await page.goto(address);
  await look(page, "10-case-manager-narrow");
  await page.click("button[value=permit]");
  await page.waitForURL(/done=acted/);
  await look(page, "11-case-permitted-narrow");

  // The permit prints.
  page = clerk.page;
  await page.goto(address);
  await look(page, "12-case-permitted");
  const pdf = await clerk.context.request.get(`${address}/permit.pdf`);
  assert.equal(pdf.status(), 200);
  assert.equal((await pdf.body()).subarray(0, 5).toString(), "%PDF-", "the permit is a PDF");

  // Somebody of another section sees nothing of it.
  const other = await login(browser, city, "other-manager", WIDE);
  assert.equal((await other.context.request.get(address)).status(), 404, "another section does not see the case");
  await other.context.close();

  // Every other page, wide and narrow.
  const admin = await login(browser, city, "system", WIDE);
  const pages = ["/", "/inbox", "/cases", "/registers", "/registers/asset", "/registers/asset/import", "/registers/asset/new", "/clauses", "/clauses/5.1.1.3.イ", "/checks/overdue_return", "/organization", "/organization?q=髙", "/organization/import", "/absences", "/delegations", "/ledger", "/password", "/account", "/account/second-factor", "/accounts", "/no-such-page"];
  const rows = await (async () => { await admin.page.goto(`${city.url}/registers/asset`); return admin.page.locator("tbody th a").first().getAttribute("href"); })();
  pages.push(rows, `${rows}/edit`);
  await admin.page.goto(`${city.url}/ledger`);
  pages.push(await admin.page.locator("tbody th a").first().getAttribute("href"));
  for (const viewport of [WIDE, NARROW]) {
    await admin.page.setViewportSize(viewport);
    for (const path of pages) {
      await admin.page.goto(city.url + encodeURI(path));
      await look(admin.page, `20-${viewport.width}-${path.replace(/[^a-z0-9]+/gi, "_")}`);
    }
  }
  await city.stop();

  // Three days later nothing came back: the check says so, in the row and in the clause.
  await city.start(3);
  const late = await login(browser, city, "staff", WIDE);
  page = late.page;
  const row = page.locator("tr", { hasText: number });
  // The day turns beside the pages: what fell due meanwhile is found within moments of the start.
  for (let tries = 0; tries < 60; tries += 1) {
    await page.goto(`${city.url}/checks/overdue_return`);
    if ((await row.count()) > 0) break;
    await page.waitForTimeout(1000);
  }
  assert.equal(await row.count(), 1, `${number} (${title}) is overdue`);
  assert.ok((await row.innerText()).includes("続いている"));
  await page.goto(`${city.url}/clauses/5.1.1.3.イ`);
  assert.ok((await page.locator("main").innerText()).includes("不適合"), "the clause is broken");
  await look(page, "30-clause-broken");

  // The clerk brings it back, the manager confirms, the row is closed.
  await page.goto(address.replace(/^http:\/\/[^/]+/, city.url));
  await look(page, "31-case-late");
  for (const field of await page.locator("#act .field").all()) {
    const box = field.locator("input[type=checkbox]");
    if (await box.count()) await box.check();
    const text = field.locator("input[type=text]");
    if (await text.count()) await text.fill(day(3));
  }
  await page.click("button[value=perform]");
  await page.waitForURL(/done=acted/);
  await look(page, "32-case-returned");
  await page.goto(`${city.url}/checks/overdue_return`);
  const closed = page.locator("tr", { hasText: number });
  assert.ok((await closed.count()) === 0 || !(await closed.innerText()).includes("続いている"), "the overdue return is over");
  const boss = await login(browser, city, "manager", NARROW);
  await boss.page.goto(address.replace(/^http:\/\/[^/]+/, city.url));
  await boss.page.click("button[value=confirm]");
  await boss.page.waitForURL(/done=acted/);
  await look(boss.page, "33-case-closed-narrow");
  await city.stop();

  // The ledger proves it.
  const verdict = city.sekisho("ledger", "verify", "--data", city.data);
  assert.ok(verdict.includes("すべて一致しました"), verdict);
  console.log(verdict.trim());
  console.log(`browser story: ${looked()} pages looked at with axe, nothing found`);
} finally {
  await browser.close();
  await city.stop();
  city.remove();
}
