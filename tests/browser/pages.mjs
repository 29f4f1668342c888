// The pages for finding and overseeing, wide and narrow: search from the head of a page with the keyboard alone, the standard down to one
// clause, its drawings, the calendar, the inbox. axe looks at each.
import assert from "node:assert/strict";
import { City } from "./city.mjs";
import { launch, login, look, NARROW, WIDE } from "./look.mjs";

const city = new City();
await city.start();
const browser = await launch();
try {
  for (const [size, viewport] of [["wide", WIDE], ["narrow", NARROW]]) {
    const { context, page } = await login(browser, city, "manager", viewport);
    const answered = [];
    page.on("response", (r) => answered.push(r));
    await page.focus("#site-search");
    await page.keyboard.type("台帳");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/search\?q=/);
    assert.ok(await page.locator("h2", { hasText: "件）" }).count() > 1, "several kinds are found");
    await look(page, `search-${size}`);
    // A chapter opens at its heading, by mouse or keyboard, and leads to a clause.
    await page.goto(`${city.url}/clauses`);
    const clause = page.locator("a[href='/clauses/5.1.1.3.イ']");
    assert.equal(await clause.isVisible(), false, "chapters are folded");
    if (size === "wide") await page.click("#ch-5 > summary"); else await page.locator("#ch-5 > summary").press("Enter");
    await look(page, `standard-chapter-${size}`);
    await clause.click();
    await page.waitForURL(/\/clauses\/5\.1\.1\.3/);
    for (const [path, name] of [
      ["/dashboard", "dashboard"],
      ["/clauses", "standard"],
      ["/clauses/5.1.1.3.イ", "clause"],
      ["/checks", "checks"],
      ["/calendar?scope=section", "calendar"],
      ["/inbox", "inbox"],
      ["/apply/take_out/import", "apply-import"],
      ["/apply/take_out", "apply"],
    ]) {
      await page.goto(city.url + path);
      await look(page, `${name}-${size}`);
      assert.ok(await page.locator("header a", { hasText: "この画面の手引" }).isVisible(), `${name} leads to the guide`);
    }
    // The guide opens beside the page, at the heading that speaks of it; on paper nothing leads to it.
    const help = page.locator("header a", { hasText: "この画面の手引" });
    const [guide] = await Promise.all([context.waitForEvent("page"), help.click()]);
    await guide.waitForLoadState();
    const heading = decodeURIComponent(new URL(guide.url()).hash.slice(1));
    assert.equal(heading, "4-申請する");
    await guide.locator(`[id="${heading}"]`).waitFor();
    await look(guide, `guide-${size}`);
    await guide.close();
    await page.emulateMedia({ media: "print" });
    assert.ok(!(await help.isVisible()), "the link is not printed");
    await page.emulateMedia({ media: "screen" });
    await page.goto(`${city.url}/dashboard`);
    for (const summary of await page.locator("summary").all()) await summary.press("Enter");
    await look(page, `dashboard-open-${size}`);
    // Files that are dropped are attached as by the button.
    await page.goto(`${city.url}/apply/take_out`);
    const files = await page.evaluateHandle(() => {
      const data = new DataTransfer();
      data.items.add(new File(["計画"], "計画.txt", { type: "text/plain" }));
      data.items.add(new File(["地図"], "地図.txt", { type: "text/plain" }));
      return data;
    });
    await page.dispatchEvent("[data-drop]", "drop", { dataTransfer: files });
    await page.waitForSelector("text=地図.txt");
    assert.ok(await page.locator("text=計画.txt").count(), "both files are kept");
    assert.ok(answered.every((r) => r.status() < 500), "no page failed");
    await context.close();
  }
} finally {
  await browser.close();
  await city.stop();
  city.remove();
}
console.log("the pages for finding and overseeing were looked at");
