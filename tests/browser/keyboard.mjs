// Ten journeys with the keyboard alone, 390 px wide: focus is always to be seen, moves on with every Tab and never gets caught; no page scrolls sideways.
// Every page on the way is looked at with axe and kept within its budget: 150 kB for the document, three further requests.
import assert from "node:assert/strict";
import { City } from "./city.mjs";
import { NARROW, day, launch, look, looked } from "./look.mjs";

const DOCUMENT_BYTES = 150_000;
const REQUESTS = 3;
/** More presses of Tab than any page needs. */
const TABS = 400;

const city = new City();
const browser = await launch();
const sizes = new Map();
const paints = [];
let keys = 0;

/** Somebody who has a keyboard and nothing else. */
class Hands {
  constructor(page) { this.page = page; }

  async press(key) { keys += 1; await this.page.keyboard.press(key); }

  /** Moves the focus with Tab, or back with Shift, until it is on the element. */
  async on(locator) {
    const target = await locator.first().elementHandle();
    assert.ok(target, `${locator} is on ${this.page.url()}`);
    for (let n = 0; n < TABS; n += 1) {
      const where = await target.evaluate((t) => {
        const a = document.activeElement;
        if (a === t) return "here";
        return a !== document.body && t.compareDocumentPosition(a) & Node.DOCUMENT_POSITION_FOLLOWING ? "before" : "after";
      });
      if (where === "here") return;
      const before = await this.page.evaluateHandle(() => document.activeElement);
      await this.press(where === "before" ? "Shift+Tab" : "Tab");
      const told = await before.evaluate((b) => {
        const a = document.activeElement;
        const r = a.getBoundingClientRect();
        const style = getComputedStyle(a);
        return {
          moved: a !== b,
          what: a.outerHTML.slice(0, 120),
          ring: a === document.body || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2),
          shown: a === document.body || (r.bottom > 0 && r.top < innerHeight && r.right > 0 && r.left < innerWidth),
        };
      });
      assert.ok(told.moved, `the focus is caught on ${told.what} (${this.page.url()})`);
      assert.ok(told.ring, `the focus is not to be seen on ${told.what} (${this.page.url()})`);
      assert.ok(told.shown, `the focus is off the screen on ${told.what} (${this.page.url()})`);
    }
    assert.fail(`${locator} cannot be reached with Tab on ${this.page.url()}`);
  }

  async type(locator, text) {
    await this.on(locator);
    await this.press("Control+A");
    keys += text.length;
    await this.page.keyboard.insertText(text);
  }

  async tick(locator) { await this.on(locator); if (!(await locator.first().isChecked())) await this.press("Space"); }

  /** The choice with this place in the list. */
  async choose(locator, index = 1) {
    await this.on(locator);
    for (let n = 0; n < index; n += 1) await this.press("ArrowDown");
    assert.equal(await locator.evaluate((s) => s.selectedIndex), index, "the arrow keys choose");
  }

  /** Presses a link or button and looks at the page that comes. */
  async go(locator, name) {
    await this.on(locator);
    await Promise.all([this.page.waitForEvent("load"), this.press("Enter")]);
    await this.arrived(name);
  }

  async arrived(name) {
    await look(this.page, `keys-${name}`);
    const { bytes, requests, paint, answered } = await this.page.evaluate(() => ({
      bytes: performance.getEntriesByType("navigation")[0].encodedBodySize,
      answered: performance.getEntriesByType("navigation")[0].responseEnd,
      requests: performance.getEntriesByType("resource").length,
      paint: performance.getEntriesByName("first-paint")[0]?.startTime,
    }));
    assert.ok(bytes <= DOCUMENT_BYTES, `${this.page.url()} has ${bytes} bytes`);
    assert.ok(requests <= REQUESTS, `${this.page.url()} makes ${requests} further requests`);
    sizes.set(name, Math.max(bytes, sizes.get(name) || 0));
    if (paint) paints.push([Math.round(paint), name, Math.round(answered)]);
  }

  button(words) { return this.page.locator("main").getByRole("button", { name: words, exact: true }); }

  link(words) { return this.page.locator("main").getByRole("link", { name: words }); }

  nav(words) { return this.page.locator("nav.main").getByRole("link", { name: words, exact: true }); }

  /** Fills every field of a form. */
  async fill(form) {
    for (const field of await form.locator("input:visible, select:visible, textarea:visible").all()) {
      const [tag, type, inputMode, short] = await field.evaluate((f) => [f.tagName, f.type, f.inputMode, f.classList.contains("short")]);
      if (tag === "SELECT") await this.choose(field);
      else if (type === "checkbox") await this.tick(field);
      else if (type !== "file") await this.type(field, inputMode === "numeric" ? "1" : short ? day(0) : "確かめました。");
    }
  }

  async told(words) { assert.ok((await this.page.locator("main").innerText()).includes(words), `「${words}」 on ${this.page.url()}`); }
}

/** Logs in, with the skip link and the page's own form. */
async function person(name, wrong = "") {
  // Without smooth scrolling: what has the focus is on the screen at once.
  const context = await browser.newContext({ viewport: NARROW, locale: "ja-JP", reducedMotion: "reduce" });
  const page = await context.newPage();
  page.on("pageerror", (e) => assert.fail(`script error: ${e}`));
  const hands = new Hands(page);
  const { login, password } = city.login(name);
  await page.goto(`${city.url}/login`);
  await hands.arrived("login");
  for (const secret of [wrong, password].filter(Boolean)) {
    await hands.type(page.locator("#login"), login);
    await hands.type(page.locator("#password"), secret);
    await hands.go(hands.button("ログイン"), "home");
    if (secret === wrong) await hands.told("ログイン名またはパスワードが違います");
  }
  assert.equal(new URL(page.url()).pathname, "/");
  return hands;
}

const number = async (hands) => (await hands.page.locator("ol.crumbs li").last().innerText()).trim();

/** Fills in a take-out but for its purpose and what is taken. */
async function takeOut(hands) {
  const page = hands.page;
  await hands.type(page.locator("#destination"), "市民体育館");
  await hands.type(page.locator("#from"), day(0));
  await hands.type(page.locator("#return_by"), day(1));
  await hands.choose(page.locator("#carrying_method"));
  await hands.choose(page.locator("#encryption"));
}

/** From the home page to a case that waits for somebody. */
async function open(hands, wanted) {
  await hands.go(hands.page.locator("a.brand"), "home");
  await hands.go(hands.page.locator("tr", { hasText: wanted }).getByRole("link"), "case");
}

async function act(hands, value, words = "") {
  const form = hands.page.locator(`#act form:has(button[value=${value}])`).first();
  if (words) await hands.type(form.locator("textarea, input[type=text]").last(), words);
  await hands.go(form.locator(`button[value=${value}]`), "case-acted");
  await hands.told("処理を記録しました");
}

const JOURNEYS = {
  async "login, once with a wrong password"() {
    await (await person("staff", "ちがうパスワード")).told("やること");
  },

  async "an application with a draft"() {
    const clerk = (this.clerk = await person("staff"));
    const page = clerk.page;
    await clerk.go(page.locator(".card", { hasText: "庁外へ持ち出したい" }).getByRole("link", { name: "申請する" }), "apply");
    await clerk.tick(page.locator("table input[type=checkbox]"));
    await clerk.type(page.locator("#purpose"), "避難所開設訓練での名簿の確認");
    await clerk.go(clerk.button("下書きを保存"), "apply-draft");
    await clerk.go(page.locator("a.brand"), "home-draft");
    await clerk.go(page.locator("h2:has-text('書きかけの申請') + ul a"), "apply-again");
    assert.equal(await page.inputValue("#purpose"), "避難所開設訓練での名簿の確認", "the draft keeps what was typed");
    await takeOut(clerk);
    await clerk.go(clerk.button("申請する"), "case-applied");
    await clerk.told("申請しました");
    this.number = await number(clerk);
  },

  async "a permit"() {
    const manager = (this.manager = await person("manager"));
    await open(manager, this.number);
    await act(manager, "permit");
  },

  async "taking out"() {
    await this.clerk.page.reload();
    await act(this.clerk, "move_out");
    await this.clerk.told("持出し・返却の記録");
  },

  async "the return, confirmed"() {
    const form = this.clerk.page.locator("#act form:has(button[value=perform])");
    await this.clerk.fill(form);
    await this.clerk.go(form.locator("button[value=perform]"), "case-returned");
    await open(this.manager, this.number);
    await act(this.manager, "confirm");
    assert.equal((await this.manager.page.locator("h1 + p .tag").innerText()).trim(), "完了");
  },

  async "sent back, sent again, refused"() {
    const { clerk, manager } = this;
    const page = clerk.page;
    await clerk.go(page.locator("a.brand"), "home");
    await clerk.go(page.locator(".card", { hasText: "庁外へ持ち出したい" }).getByRole("link", { name: "申請する" }), "apply");
    await clerk.go(clerk.button("申請する"), "apply-errors");
    await clerk.told("入力を確かめてください");
    await clerk.tick(page.locator("table input[type=checkbox]").nth(1));
    await clerk.type(page.locator("#purpose"), "説明会");
    await takeOut(clerk);
    await clerk.go(clerk.button("申請する"), "case-applied");
    this.second = await number(clerk);
    await open(manager, this.second);
    await act(manager, "send_back", "持出先の部屋の名前を書いてください。");
    await open(clerk, this.second);
    await clerk.go(page.locator("#act button[value=resubmit], #act a:has-text('直')").first(), "case-again");
    await open(manager, this.second);
    await act(manager, "refuse", "名簿は持ち出さずに説明してください。");
  },

  async "a row of a register"() {
    const { manager } = this;
    await manager.go(manager.nav("台帳"), "registers");
    await manager.go(manager.page.locator("main a[href='/registers/asset']"), "register");
    await manager.go(manager.page.locator("main tbody th a"), "register-row");
    await manager.go(manager.page.locator("main a[href$='/edit']"), "register-edit");
    await manager.type(manager.page.locator("#place"), "書庫の棚（3階）");
    await manager.go(manager.button("保存する"), "register-row");
    await manager.told("書庫の棚（3階）");
  },

  async "from the search to a case"() {
    const { clerk } = this;
    await clerk.type(clerk.page.locator("#site-search"), this.number);
    await Promise.all([clerk.page.waitForEvent("load"), clerk.press("Enter")]);
    await clerk.arrived("search");
    await clerk.go(clerk.page.locator("section[aria-labelledby=exact] a"), "case");
    assert.equal(await number(clerk), this.number);
  },

  async "a duty done"() {
    const { manager } = this;
    await manager.go(manager.nav("定期の仕事"), "duties");
    await manager.go(manager.page.locator("main tbody th a"), "duty");
    await manager.fill(manager.page.locator("main form:has(button[value=done])"));
    await manager.go(manager.button("記録する"), "duty-done");
    await manager.told("記録");
    assert.equal(await manager.page.locator("button[value=done]").count(), 0, "it is done once");
  },

  async "a delegation"() {
    const { manager } = this;
    await manager.go(manager.nav("組織"), "organization");
    await manager.go(manager.link("職務代理"), "delegations");
    await manager.choose(manager.page.locator("#what"));
    const deputy = await manager.page.locator("#people option").last().getAttribute("value");
    await manager.type(manager.page.locator("#person"), deputy);
    await manager.type(manager.page.locator("#from"), day(1));
    await manager.type(manager.page.locator("#until"), day(3));
    await manager.type(manager.page.locator("#note"), "出張のため");
    await manager.go(manager.button("願い出る"), "delegation-asked");
    await manager.told("願い出ました");
    const director = await person("department");
    await director.go(director.nav("組織"), "organization");
    await director.go(director.link("職務代理"), "delegations");
    await director.go(director.button("承認する"), "delegation-approved");
    await director.told("承認しました");
  },
};

try {
  await city.start();
  const held = {};
  for (const [name, journey] of Object.entries(JOURNEYS)) {
    const before = keys;
    await journey.call(held);
    console.log(`${name}: ${keys - before} keys`);
  }
  const largest = [...sizes].sort((a, b) => b[1] - a[1]).slice(0, 3).map(([name, bytes]) => `${name} ${bytes}`);
  paints.sort(([a], [b]) => a - b);
  const slowest = paints.slice(-3).reverse().map(([ms, name, answered]) => `${name} ${ms} (answered after ${answered})`);
  console.log(`first paint: median ${paints[paints.length >> 1][0]} ms, slowest ${slowest.join(", ")}; largest documents: ${largest.join(", ")}`);
  console.log(`browser keyboard: ${Object.keys(JOURNEYS).length} journeys at 390 px, ${looked()} pages looked at with axe, nothing found`);
} finally {
  await browser.close();
  await city.stop();
  city.remove();
}
