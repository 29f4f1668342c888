// The first start as the people of a city office walk it: from the code on the terminal to the first login. axe looks at every page, wide and narrow;
// clicks and fields are counted.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./city.mjs";
import { launch, look, looked, NARROW, WIDE } from "./look.mjs";

const PASSWORD = "港の見える丘と古い灯台";
const folder = mkdtempSync(join(tmpdir(), "sekisho-first-"));
const port = await freePort();
const server = spawn(process.env.SEKISHO_BIN, ["serve", "--data", join(folder, "city"), "--listen", `127.0.0.1:${port}`], { stdio: ["ignore", "pipe", "inherit"] });
const browser = await launch();
let actions = 0;

/** What an authenticator app shows (RFC 6238). */
function totp(typed, at = Date.now()) {
  const bits = [...typed.replaceAll(" ", "")].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const secret = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigInt64BE(BigInt(Math.floor(at / 30_000)));
  const hash = createHmac("sha1", secret).update(step).digest();
  return String((hash.readUInt32BE(hash[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

try {
  const said = await new Promise((resolve, reject) => {
    let text = "";
    server.on("exit", (code) => reject(new Error(`the server ended with ${code}: ${text}`)));
    server.stdout.on("data", (part) => { text += part; if (/最初の設定のコード \S+?（/.test(text)) resolve(text); });
  });
  const url = `http://127.0.0.1:${port}`;
  const page = await (await browser.newContext({ viewport: WIDE, locale: "ja-JP", reducedMotion: "reduce" })).newPage();
  page.on("pageerror", (e) => assert.fail(`script error: ${e}`));
  const seen = async (name) => {
    for (const size of [WIDE, NARROW]) { await page.setViewportSize(size); await look(page, `first-${name}-${size.width}`); }
    await page.setViewportSize(WIDE);
  };
  const fill = async (id, text) => { actions += 1; await page.locator(`[id="${id}"]`).fill(text); };
  const click = async (name) => {
    actions += 1;
    await Promise.all([page.waitForEvent("load"), page.locator("main").getByRole("button", { name, exact: true }).click()]);
  };
  await page.goto(url);
  assert.equal(new URL(page.url()).pathname, "/setup", "whoever comes is led to the first start");
  await seen("code");
  await fill("code", "0000-0000");
  await click("設定を始める");
  await seen("code-wrong");
  await fill("code", said.match(/最初の設定のコード (\S+?)（/)[1]);
  await click("設定を始める");

  await seen("body");
  await fill("title", "潮見市");
  await fill("body", "shiomi-city");
  await click("保存して進む");
  await seen("organization-empty");
  for (const [id, text] of Object.entries({
    "d.unit": "企画部", "d.number": "100", "d.name": "企画 一", "s1.unit": "情報政策課", "s1.number": "110", "s1.name": "髙木 二葉", "s2.unit": "監査課", "s2.number": "120", "s2.name": "監査 三枝",
  })) await fill(id, text);
  await click("加える");
  await seen("organization");
  actions += 1;
  await page.getByRole("link", { name: "責任者へ進む" }).click();
  await seen("officers-empty");
  await fill("number.role-auditor", "110");
  await fill("number.post-info_policy_manager", "110");
  await click("保存して進む");
  await seen("officers-errors");
  for (const [id, text] of Object.entries({
    "number.post-deputy_mayor": "1", "name.post-deputy_mayor": "副島 長子", "title.post-deputy_mayor": "副市長",
    "number.post-info_policy_director": "100", "title.post-info_policy_director": "企画部長",
    "number.post-info_policy_manager": "110", "title.post-info_policy_manager": "情報政策課長", "number.role-auditor": "120",
  })) await fill(id, text);
  for (const [post, unit] of [["deputy_mayor", "潮見市"], ["info_policy_director", "企画部"], ["info_policy_manager", "情報政策課"]]) {
    actions += 1;
    await page.locator(`[id="unit.post-${post}"]`).selectOption({ label: unit });
  }
  // Two operators: another line without losing what was typed.
  await page.locator("summary", { hasText: "そのほかの職と役割" }).click();
  await page.locator("details[open] summary", { hasText: "そのほかの職と役割" }).waitFor();
  await fill("number.role-csirt_member", "110");
  actions += 1;
  await Promise.all([page.waitForEvent("load"), page.locator("button[value=role-csirt_member]").click()]);
  assert.equal(await page.locator('[id="number.role-csirt_member"]').inputValue(), "110");
  assert.equal(await page.locator('[id="name.post-deputy_mayor"]').inputValue(), "副島 長子");
  await fill("number.role-csirt_member.2", "120");
  await seen("officers-more");
  await click("保存して進む");
  await seen("pack");
  await click("この基準で始める");
  await seen("mail");
  await click("あとで設定する");
  await seen("administrator");
  await fill("login", "takagi");
  await fill("password", PASSWORD);
  await fill("again", PASSWORD);
  await click("多要素認証の登録へ進む");
  await seen("second-factor");
  const secret = await page.locator("main code").first().innerText();
  await fill("code", totp(secret));
  await click("設定を終える");
  await seen("done");
  assert.equal(await page.locator("main ol li code").count(), 10, "recovery codes");
  assert.equal((await page.request.get(`${url}/setup`)).status(), 404, "the pages are closed");
  await page.getByRole("link", { name: "回復コードを保管したのでログインする" }).click();
  await page.fill("#login", "takagi");
  await page.fill("#password", PASSWORD);
  await page.getByRole("button", { name: "ログイン" }).click();
  // A code is taken once: the app's next one.
  await page.fill("#code", totp(secret, Date.now() + 30_000));
  await page.getByRole("button", { name: "ログイン" }).click();
  await page.waitForURL(`${url}/`);
  await seen("home");
  assert.match(await page.locator("header").innerText(), /潮見市/);
  console.log(`browser first start: ${actions} clicks and fields, ${looked()} pages looked at with axe, nothing found`);
} finally {
  await browser.close();
  server.removeAllListeners("exit");
  server.kill("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
}
