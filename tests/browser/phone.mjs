// What is read and decided on a phone, and what those who oversee find first: the page of a case, registers, the home of the CISO and of an auditor, a
// form that was refused. axe looks at each, wide and narrow; nothing scrolls sideways, not even inside a box.
import assert from "node:assert/strict";
import { City } from "./city.mjs";
import { launch, login, look, looked, NARROW, WIDE } from "./look.mjs";

const city = new City();
await city.start();
const browser = await launch();

/** Boxes in which something lies beyond the edge. */
const beyond = (page) =>
  page.evaluate(() => [...document.querySelectorAll(".scroll")].filter((b) => b.scrollWidth > b.clientWidth).map((b) => b.outerHTML.slice(0, 300)));

try {
  for (const [size, viewport] of [["wide", WIDE], ["narrow", NARROW]]) {
    for (const role of ["ciso", "auditor"]) {
      const { context, page } = await login(browser, city, role, viewport);
      assert.ok(await page.locator("h2", { hasText: "規程の守られ方" }).isVisible(), `${role} finds how the standard is kept`);
      await look(page, `home-${role}-${size}`);
      if (size === "narrow") assert.deepEqual(await beyond(page), [], `home of ${role}`);
      await context.close();
    }
    const { context, page } = await login(browser, city, "manager", viewport);
    const registers = await page.request.get(`${city.url}/registers`);
    const ids = [...(await registers.text()).matchAll(/href="\/registers\/([a-z_]+)"/g)].map((m) => m[1]);
    assert.ok(ids.length > 5, "registers are found");
    for (const id of ids) {
      await page.goto(`${city.url}/registers/${id}`);
      if (size === "narrow") assert.deepEqual(await beyond(page), [], `register ${id}`);
      if (["asset", "device"].includes(id)) await look(page, `register-${id}-${size}`);
    }
    await page.goto(`${city.url}/registers/asset`);
    await page.selectOption("#sort", { index: 2 });
    await page.click("button:has-text('絞り込む')");
    assert.equal(await page.locator("#sort").inputValue(), await page.locator("#sort option").nth(2).getAttribute("value"), "the order stays chosen");
    await page.locator("tbody a").first().click();
    await look(page, `row-${size}`);
    if (size === "narrow") assert.deepEqual(await beyond(page), [], "one row");
    // A case that waits: what it is about and what to look at stand above the decision, the rest below.
    await page.goto(`${city.url}/inbox`);
    await page.locator("tbody th a").first().click();
    await page.locator("#act").waitFor();
    const tops = await page.evaluate(() =>
      ["dl.glance", "#content-title", "#act", "#act button", "#steps-title", "#log-title"].map((s) => document.querySelector(s).getBoundingClientRect().top),
    );
    assert.deepEqual([...tops].sort((a, b) => a - b), tops, "the order of the page of a case");
    await look(page, `decide-${size}`);
    if (size === "narrow") assert.deepEqual(await beyond(page), [], "the page of a case");
    // A form that is refused comes back filled in, on its page, with the fault named.
    await page.goto(`${city.url}/registers/asset`);
    await page.locator("summary", { hasText: "この見方を保存する" }).click();
    await page.fill("#view", "年末の確認");
    await page.evaluate(() => { document.querySelector("button[name=do][value=save]").value = "nonsense"; });
    await page.click("button[name=do][value=nonsense]");
    assert.equal(await page.inputValue("#view"), "年末の確認");
    assert.ok(await page.locator("#view").isVisible(), "what the form is folded into is open");
    await look(page, `refused-${size}`);
    await page.click("button[name=do][value=save]");
    await page.locator("[role=status]", { hasText: "保存しました" }).waitFor();
    await page.locator("summary", { hasText: "この見方を保存する" }).click();
    await page.click("button:has-text('「年末の確認」を消す')");
    await page.locator("[role=status]", { hasText: "見方を消しました" }).waitFor();
    await context.close();
  }
} finally {
  await browser.close();
  await city.stop();
  city.remove();
}
console.log(`browser phone: ${looked()} pages looked at with axe, nothing found`);
