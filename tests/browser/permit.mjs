// A permit is checked without the server: the checker's script against the vectors that the program is held to and those of RFC 8032, then
// the file itself, opened from the disk with the network off, as a guard uses it; then labels and a stocktaking.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import { City } from "./city.mjs";
import { film } from "./film.mjs";
import { day, launch, login, look, NARROW, shots, WIDE } from "./look.mjs";

const script = readFileSync(new URL("../../crates/sekisho-web/assets/checker.js", import.meta.url), "utf8");
const { verifies, check, readKey, readList } = vm.runInNewContext(`${script}; ({ verifies, check, readKey, readList })`, { TextEncoder, TextDecoder, atob });

// RFC 8032, 7.1: key, message, signature.
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
for (const [key, message, signature] of [
  ["d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "", "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"],
  ["3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72", "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"],
  ["fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82", "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"],
]) {
  assert.ok(verifies(bytes(key), bytes(message), bytes(signature)), `RFC 8032, message ${message}`);
  assert.ok(!verifies(bytes(key), bytes(`${message}00`), bytes(signature)), "another message");
  for (const at of [0, 31, 32, 63]) {
    const broken = bytes(signature);
    broken[at] ^= 1;
    assert.ok(!verifies(bytes(key), bytes(message), broken), `byte ${at} of a signature`);
  }
  // s + L is the same number to whoever does not look.
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  let s = BigInt(`0x${Buffer.from(bytes(signature).subarray(32)).reverse().toString("hex")}`) + order;
  const malleable = bytes(signature);
  for (let i = 32; i < 64; i += 1) { malleable[i] = Number(s & 255n); s >>= 8n; }
  assert.ok(!verifies(bytes(key), bytes(message), malleable), "a signature has one spelling");
}

const vectors = JSON.parse(readFileSync(new URL("../../crates/sekisho-ledger/tests/permit_vectors.json", import.meta.url), "utf8"));
const keys = [readKey(vectors.key)];
assert.ok(keys[0], vectors.key);
for (const v of vectors.cases) {
  const list = v.list && readList(v.list, keys);
  assert.ok(!v.list || list, `${v.name}: the list is accepted`);
  const { verdict, statement } = check(v.text, keys, list, Date.parse(v.at));
  assert.equal(verdict, v.verdict, v.name);
  assert.equal(statement ? statement.number : null, v.number, v.name);
  assert.equal(statement ? statement.items.length : null, v.items, v.name);
}
const signed = vectors.cases.find((v) => v.list).list;
assert.equal(readList(signed.replace("closed", "revoked").replace("revoked", "closed"), keys), null, "a changed list is refused");
console.log(`checker: ${vectors.cases.length} vectors judged as the program judges them`);

const city = new City();
const browser = await launch();
try {
  await city.start();
  const clerk = await login(browser, city, "staff", WIDE);
  let page = clerk.page;
  await page.goto(`${city.url}/apply/take_out`);
  await page.fill("main input[type=search]", "台帳");
  await page.click("button:has-text('探す')");
  await page.locator("table:has(caption:has-text('見つかったもの')) input[type=checkbox]").first().check();
  await page.click("button:has-text('チェックしたものを入れる')");
  await page.fill("#purpose", "避難所開設訓練での名簿の確認");
  await page.fill("#destination", "市民体育館");
  for (const choice of await page.locator("main select").all()) await choice.selectOption({ index: 1 });
  await page.fill("#from", day(0));
  await page.fill("#return_by", day(1));
  for (const box of await page.locator("main form > .field input[type=checkbox]").all()) {
    if ((await box.getAttribute("id")) !== "blanket") await box.check();
  }
  await page.click("button:has-text('申請する')");
  await page.waitForURL(/\/cases\/.*done=applied/);
  const address = page.url().split("?")[0];
  const manager = await login(browser, city, "manager", WIDE);
  await manager.page.goto(address);
  await manager.page.click("button[value=permit]");
  await manager.page.waitForURL(/done=acted/);

  await page.goto(address);
  await page.click("summary:has-text('守衛・受付で見せるQRコード')");
  await look(page, "permit-case-code");
  const digits = (await page.locator("#permit-digits").innerText()).trim();
  await page.setViewportSize(NARROW);
  await look(page, "permit-case-code-narrow");
  await page.setViewportSize(WIDE);
  const qr = await page.locator("svg.qr").screenshot();
  const pdf = await clerk.context.request.get(`${address}/permit.pdf`);
  assert.equal((await pdf.body()).subarray(0, 5).toString(), "%PDF-", "the permit with its code is a PDF");

  await manager.page.goto(`${city.url}/permits`);
  await look(manager.page, "permit-page");
  const fetched = async (name) => {
    const file = join(city.folder, name);
    const [download] = await Promise.all([manager.page.waitForEvent("download"), manager.page.click("a[href='/permits/checker']")]);
    await download.saveAs(file);
    return file;
  };
  const before = await fetched("checker.html");
  assert.equal((await clerk.context.request.get(`${city.url}/permits/checker`)).status(), 403, "staff are not given the file");

  // The guard: a file, no network, a scanner that types and presses Enter.
  const gate = await browser.newContext({ viewport: WIDE, locale: "ja-JP", offline: true });
  const guard = async (file, typed) => {
    const p = await gate.newPage();
    p.on("pageerror", (e) => assert.fail(`script error: ${e}`));
    await p.goto(pathToFileURL(file).href);
    await p.locator("#code").pressSequentially(typed);
    await p.keyboard.press("Enter");
    await p.waitForSelector("#result:not([hidden])");
    return { p, word: await p.locator("#verdict").innerText(), said: await p.locator("#result").innerText() };
  };
  const good = await guard(before, digits);
  assert.equal(good.word, "有効", good.said);
  assert.ok(good.said.includes("持出-") && good.said.includes("件）"), good.said);
  await look(good.p, "permit-checker-valid");
  await good.p.setViewportSize(NARROW);
  await look(good.p, "permit-checker-valid-narrow");
  // The next one is typed over the last one.
  await good.p.keyboard.type("4901234567894");
  await good.p.keyboard.press("Enter");
  assert.equal(await good.p.locator("#verdict").innerText(), "読み取れません");
  const at = digits.length - 30;
  const altered = digits.slice(0, at) + (digits[at] === "0" ? "1" : "0") + digits.slice(at + 1);
  const bad = await guard(before, altered);
  assert.equal(bad.word, "無効", bad.said);
  await look(bad.p, "permit-checker-forged");

  // The camera of a phone: Chromium plays a film of the code to the page.
  const reel = join(city.folder, "code.y4m");
  await film(browser, qr, reel);
  const phone = await launch(["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${reel}`]);
  try {
    const open = async (init, viewport) => {
      const p = await (await phone.newContext({ viewport, locale: "ja-JP", offline: true })).newPage();
      p.on("pageerror", (e) => assert.fail(`script error: ${e}`));
      if (init) await p.addInitScript(init, digits);
      await p.goto(pathToFileURL(before).href);
      return p;
    };
    const verdict = (p) => p.locator("#verdict").innerText();
    const own = await open(null, NARROW);
    const reads = await own.evaluate(() => (typeof BarcodeDetector === "undefined" ? false : BarcodeDetector.getSupportedFormats().then((f) => f.includes("qr_code"))));
    if (reads) {
      await own.click("#camera");
      await own.waitForSelector("#result:not([hidden])");
      assert.equal(await verdict(own), "有効", "the camera reads the code");
    } else {
      // What an ordinary machine has: no reader of codes. The page says what to do instead.
      await own.waitForSelector("#camera-note:not([hidden])");
      const told = await own.locator("#camera-note").innerText();
      assert.ok(told.includes("カメラでQRコードを読めません") && told.includes("読取り機で読むか"), told);
      assert.ok(!(await own.locator("#camera").isVisible()));
      await look(own, "permit-checker-no-reader-narrow");
    }
    // A reader of the test's own, which sees the film as it is shown: finders in three corners, beside another code.
    const p = await open((text) => {
      window.BarcodeDetector = class {
        static async getSupportedFormats() { return ["qr_code"]; }
        async detect(video) {
          const canvas = Object.assign(document.createElement("canvas"), { width: video.videoWidth, height: video.videoHeight });
          const draw = canvas.getContext("2d");
          draw.drawImage(video, 0, 0);
          const side = canvas.height - 20;
          // The dark heart of a finder: 4 to 5 modules from the outer edge, white margin included. The fourth corner has none.
          const dark = ([x, y]) => {
            const square = draw.getImageData((canvas.width - side) / 2 + x * side, 10 + y * side, 6, 6).data;
            return square.filter((_, i) => i % 4 === 0).reduce((a, b) => a + b) / 36 < 90;
          };
          window.seen = window.hearts.map(dark);
          if (window.blind || !window.seen.every(Boolean)) return [];
          return [{ rawValue: "https://city.example/r/asset/A-1" }, { rawValue: text }];
        }
      };
    }, WIDE);
    // Where the hearts are, as the page of the case drew them.
    const hearts = await page.locator("svg.qr").evaluate((svg) => {
      const [, , size] = svg.getAttribute("viewBox").split(" ").map(Number);
      const at = (n) => (4 + n) / size;
      return [[at(3.2), at(3.2)], [1 - at(3.8), at(3.2)], [at(3.2), 1 - at(3.8)]];
    });
    await p.evaluate((places) => { window.hearts = places; }, hearts);
    await p.evaluate(() => {
      const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        if (window.refuse) throw new DOMException("no", window.refuse);
        return (window.stream = await real(wanted));
      };
    });
    await p.locator("#code").fill(digits);
    await p.click("button[type=submit]");
    assert.equal(await verdict(p), "有効");
    // No camera: the former permit's word is gone, and what to do is said.
    for (const [name, words] of [["NotAllowedError", "許されていません"], ["NotFoundError", "見つかりません"], ["NotReadableError", "ほかのソフト"], ["AbortError", "カメラを使えません"]]) {
      await p.evaluate((n) => { window.refuse = n; }, name);
      await p.click("#camera");
      await p.locator("#camera-note", { hasText: words }).waitFor();
      assert.ok(!(await p.locator("#result").isVisible()), `${name}: the last permit's result`);
    }
    await look(p, "permit-checker-no-camera");
    await p.evaluate(() => { window.refuse = ""; window.blind = true; });
    await p.click("#camera");
    await p.waitForFunction(() => window.seen && window.seen.every(Boolean));
    assert.equal(await p.locator("#camera").innerText(), "カメラをやめる");
    await look(p, "permit-checker-camera");
    await p.click("#camera");
    const live = () => p.evaluate(() => window.stream.getTracks().some((t) => t.readyState === "live"));
    assert.ok(!(await live()) && !(await p.locator("#video").isVisible()), "the camera is off");
    assert.ok(!(await p.locator("#result").isVisible()));
    await p.evaluate(() => { window.blind = false; });
    await p.click("#camera");
    await p.waitForSelector("#result:not([hidden])");
    assert.equal(await verdict(p), "有効", "the permit among the codes in the picture");
    assert.ok((await p.locator("#result").innerText()).includes("持出-"));
    assert.ok(!(await live()) && !(await p.locator("#video").isVisible()), "the camera is off after a code");
    console.log(`checker: the camera was tried, ${reads ? "with Chromium's own reader of codes" : "Chromium has no reader of codes here"}`);
  } finally {
    await phone.close();
  }

  await manager.page.goto(address);
  await manager.page.locator("details", { has: manager.page.locator("button[value=revoke]") }).locator("summary").first().click().catch(() => {});
  await manager.page.fill("[name='revoke.says']", "紛失の報告があったため");
  await manager.page.click("button[value=revoke]");
  await manager.page.waitForURL(/done=acted/);
  await manager.page.goto(`${city.url}/permits`);
  const after = await fetched("checker-after.html");
  const revoked = await guard(after, digits);
  assert.equal(revoked.word, "取消し済み", revoked.said);
  await look(revoked.p, "permit-checker-revoked");
  for (const [file, code] of [[before, 0], [after, 1]]) {
    let status = 0;
    try { city.sekisho("permit", "verify", digits, "--list", file); } catch (e) { status = e.status; }
    assert.equal(status, code, `the terminal says the same with ${file}`);
  }
  // Two days on the list is of yesterday; the clock of the gate decides.
  await gate.clock.install({ time: Date.now() + 5 * 86_400_000 });
  const late = await guard(before, digits);
  assert.ok(["期限切れ", "この一覧は古い"].includes(late.word), late.said);
  assert.ok((await late.p.locator("#age").innerText()).includes("この一覧は古い"));
  await look(late.p, "permit-checker-old");

  // 棚卸し on a phone: the label's address leads there while it runs.
  page = manager.page;
  await page.setViewportSize(NARROW);
  await page.goto(`${city.url}/stocktakings`);
  await look(page, "stocktakings-narrow");
  await page.selectOption("#register", "asset");
  await page.locator("#unit").selectOption({ index: 1 });
  await page.fill("#due_on", day(30));
  await page.click("button:has-text('始める')");
  await page.waitForURL(/done=stocktaking/);
  await look(page, "stocktaking-narrow");
  const code = await page.locator("section[aria-labelledby=missing-title] li a").first().innerText();
  await page.goto(`${city.url}/r/asset/${encodeURIComponent(code)}`);
  assert.ok(page.url().includes("/stocktakings/"), page.url());
  await page.click("button[value=see]");
  await page.waitForURL(/done=found/);
  assert.ok((await page.locator("section[aria-labelledby=seen-title]").innerText()).includes(code));
  await look(page, "stocktaking-found-narrow");
  await page.goto(`${city.url}/registers/asset/labels`);
  await look(page, "labels-narrow");
  const form = { csrf: await page.locator("input[name=csrf]").last().inputValue(), row: await page.locator("input[name=row]").first().inputValue() };
  const sheet = await manager.context.request.post(`${city.url}/registers/asset/labels`, { form, headers: { origin: city.url } });
  assert.equal((await sheet.body()).subarray(0, 5).toString(), "%PDF-", "a sheet of labels is a PDF");
  if (shots) {
    writeFileSync(join(shots, "labels.pdf"), await sheet.body());
    writeFileSync(join(shots, "permit.pdf"), await pdf.body());
  }
} finally {
  await browser.close();
  await city.stop();
  city.remove();
}
console.log("permits were checked from a file without network");
