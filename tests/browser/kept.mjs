// A session that ends in the middle of typing, on a narrow screen: what was typed comes back after a login in another tab. And a slip of the hand on a
// red button is asked for once more. axe looks at each page.
import assert from "node:assert/strict";
import { City } from "./city.mjs";
import { day, launch, login, look, NARROW } from "./look.mjs";

const city = new City();
await city.start();
const browser = await launch();
try {
  const { context, page } = await login(browser, city, "staff", NARROW);
  await page.goto(`${city.url}/apply/take_out`);
  await page.locator("td label.check input").first().check();
  await page.fill("#purpose", "県の研修で使う資料を持参する");
  await page.fill("#destination", "県庁 北会議室");
  await page.fill("#from", day(1));
  await page.fill("#return_by", day(2));
  await page.selectOption("#carrying_method", "locked_bag");
  await page.selectOption("#encryption", "sealed");
  await page.setInputFiles("#file", { name: "計画.txt", mimeType: "text/plain", buffer: Buffer.from("計画") });

  // A logout in another tab ends this one's session as well.
  const other = await context.newPage();
  await other.goto(`${city.url}/account`);
  await other.click("button:has-text('ログアウト')");
  await other.waitForURL(/\/login/);
  await page.click("button[value=apply]");
  await page.waitForSelector("h1:has-text('ログインが切れました')");
  await look(page, "kept-ended");

  const [tab] = await Promise.all([context.waitForEvent("page"), page.click("text=新しいタブでログインする")]);
  const { login: name, password } = city.login("staff");
  await tab.fill("#login", name);
  await tab.fill("#password", password);
  await tab.click("form[action='/login'] button.primary");
  await tab.waitForSelector("h1:has-text('ログインしました')");
  await look(tab, "kept-again");
  await tab.close();

  await page.click("button:has-text('続ける')");
  await page.waitForSelector("text=としてログインしています");
  await look(page, "kept-sender");
  await page.click("button:has-text('送る')");
  await page.waitForSelector("text=計画.txt");
  assert.equal(await page.inputValue("#purpose"), "県の研修で使う資料を持参する");
  await look(page, "kept-form");
  await page.click("button[value=apply]");
  await page.waitForURL(/\/cases\/.*done=applied/);
  // The same once more, from the case.
  await page.click("text=この内容で新しく申請する");
  await page.waitForSelector("text=前の申請の内容を入れました");
  assert.equal(await page.inputValue("#destination"), "県庁 北会議室");
  assert.equal(await page.inputValue("#from"), "");
  await look(page, "anew");
  // All seven days of a week are on the screen.
  await page.goto(`${city.url}/calendar`);
  const sunday = await page.locator("table.month th").last().boundingBox();
  assert.ok(sunday.x + sunday.width <= NARROW.width, "the month fits");
  await context.close();

  const admin = await login(browser, city, "system", NARROW);
  let [answer, asked] = [false, ""];
  admin.page.on("dialog", (d) => { asked = d.message(); return answer ? d.accept() : d.dismiss(); });
  await admin.page.goto(`${city.url}/accounts?q=fixed-term`);
  await admin.page.click("button:has-text('停止する')");
  assert.match(asked, /利用を停止します/);
  assert.equal(await admin.page.locator("text=変更しました").count(), 0, "nothing was sent");
  answer = true;
  await admin.page.click("button:has-text('停止する')");
  await admin.page.waitForSelector("text=変更しました");
} finally {
  await browser.close();
  await city.stop();
  city.remove();
}
console.log("what was typed outlived its session");
