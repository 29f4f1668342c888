// The guide with pictures, made from a running demo city: node screenshots.mjs FOLDER. Each picture stands in the part of the guide that speaks of its
// page; each part becomes one file that is read and printed without a server. Neither is kept in the repository: make them anew for each version,
// so that they show the program as it is.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { City } from "./city.mjs";
import { launch, login, look, shots, WIDE } from "./look.mjs";

assert.ok(shots, "name the folder for the guide");
/** Name of the picture, who looks, where, and what it shows; part and heading of the guide that it belongs to. */
const PICTURES = [
  ["home", "staff", "/", "ホーム", "staff#2-ホームでやることを見る"],
  ["handling", "staff", "/handling", "これはできますか", "staff#3-してよいか分からないとき"],
  ["apply", "staff", "/apply/take_out", "申請の画面（情報資産等の持出）", "staff#4-申請する"],
  ["search", "staff", "/search?q=台帳", "検索", "staff#6-探す"],
  ["inbox", "manager", "/inbox", "決裁・処理待ち", "manager#1-決裁する"],
  ["calendar", "manager", "/calendar?scope=section", "予定表（自分の課）", "manager#2-期限を守る"],
  ["register", "manager", "/registers/asset", "情報資産管理台帳", "manager#3-台帳を保つ"],
  ["dashboard", "manager", "/dashboard", "遵守の状況", "manager#4-課の状況を見る"],
  ["absences", "manager", "/absences", "不在", "manager#5-不在と職務代理"],
  ["delegations", "manager", "/delegations", "職務代理", "manager#5-不在と職務代理"],
  ["change", "manager", "/registers/asset/change?column=place", "一つの列をまとめて直す", "screens#台帳をまとめて直す"],
  ["clauses", "manager", "/clauses", "規程", "screens#規程と条項"],
  ["system", "system", "/system", "システム", "screens#システムの様子"],
  ["bulk", "manager", "/bulk/reclassification", "情報資産の分類の変更", "handling#分類をまとめて変える"],
  ["duties", "manager", "/duties", "定期の仕事", "duties#定期の仕事"],
  ["permits", "manager", "/permits", "許可証の確認", "permit#課長情報政策担当課-確認ページを守衛に渡す"],
  ["labels", "manager", "/registers/media/labels", "ラベル", "permit#ラベルを貼る"],
  ["packs", "system", "/packs/edit", "規程・手続の編集", "pack#画面で直す"],
  ["ledger", "auditor", "/ledger", "証跡", "ledger#1-証跡のしくみ"],
];

/** The text of a part with its pictures, each at the end of what stands under its heading. */
function pictured(text, part) {
  for (const [name, , , says, place] of PICTURES) {
    const [of, heading] = place.split("#");
    if (of !== part) continue;
    const at = text.indexOf(` id="${heading}"`);
    assert.ok(at > 0, `${part} has no heading ${heading}`);
    const next = text.indexOf("<h2", at);
    const end = next < 0 ? text.length : next;
    const data = readFileSync(join(shots, `${name}.png`)).toString("base64");
    const figure = `<figure><img src="data:image/png;base64,${data}" alt="「${says}」の画面"><figcaption>${says}</figcaption></figure>`;
    text = text.slice(0, end) + figure + text.slice(end);
  }
  return text;
}

const city = new City();
const browser = await launch();
try {
  await city.start();
  const people = new Map();
  for (const [name, who, path] of PICTURES) {
    if (!people.has(who)) people.set(who, (await login(browser, city, who, WIDE)).page);
    const page = people.get(who);
    const reply = await page.goto(city.url + encodeURI(path));
    assert.equal(reply.status(), 200, `${path} for ${who}`);
    await page.screenshot({ path: join(shots, `${name}.png`), fullPage: false });
  }
  const page = people.get("staff");
  await page.goto(`${city.url}/help`);
  const parts = await page.$$eval("main a[href^='/help/']", (links) => links.map((a) => a.getAttribute("href").slice("/help/".length)));
  const style = await page.evaluate(async () => (await fetch(document.querySelector("link[rel=stylesheet]").href)).text());
  const placed = new Set(PICTURES.map(([, , , , place]) => place.split("#")[0]));
  for (const part of placed) assert.ok(parts.includes(part), `the guide has no part ${part}`);
  const reader = await (await browser.newContext({ viewport: WIDE, offline: true, locale: "ja-JP" })).newPage();
  for (const part of parts) {
    await page.goto(`${city.url}/help/${part}`);
    const title = await page.locator("h1").innerText();
    const main = await page.$eval("main", (m) => { m.querySelector("ol.crumbs")?.remove(); return m.innerHTML; });
    const text = pictured(main, part).replace(/href="\/help\/([a-zA-Z-]+)/g, 'href="$1.html');
    const more = "figure { margin: 16px 0; break-inside: avoid; } figure img { max-width: 100%; border: 1px solid #767676; } figcaption { font-size: 14px; }";
    const file = join(shots, `${part}.html`);
    writeFileSync(file, `<!doctype html>\n<html lang="ja"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${style}${more}</style></head><body><main id="main">${text}</main></body></html>\n`);
    await reader.goto(pathToFileURL(file).href);
    const broken = await reader.$$eval("img", (all) => all.filter((i) => !i.naturalWidth).length);
    assert.equal(broken, 0, `pictures of ${part}`);
    await look(reader, `guide-${part}`);
  }
  console.log(`${PICTURES.length} pictures and ${parts.length} parts of the guide in ${shots}`);
} finally {
  await browser.close();
  await city.stop();
  city.remove();
}
