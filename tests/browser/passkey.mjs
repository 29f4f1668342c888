// Passkeys in a real browser with an authenticator of its own (Chromium's virtual one): registering, coming in by it alone and after the password,
// the proof before privileged work twenty minutes later, removing. On another address than the configured one there is no button.
import assert from "node:assert/strict";
import { City } from "./city.mjs";
import { launch, look, NARROW, WIDE } from "./look.mjs";

const city = new City();
const browser = await launch();
/** The city's pages under the name for which its passkeys are. */
const begin = async (daysLater) => {
  await city.start(daysLater);
  city.url = city.url.replace("127.0.0.1", "localhost");
};
try {
  await begin(0);
  const context = await browser.newContext({ viewport: WIDE, locale: "ja-JP", reducedMotion: "reduce" });
  const page = await context.newPage();
  page.on("pageerror", (e) => assert.fail(`script error: ${e}`));
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  const { login, password } = city.login("staff");
  const open = (path) => page.goto(`${city.url}${path}`);
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  const leave = async () => { await press("ログアウト"); await page.waitForURL(`${city.url}/login`); };
  const byPassword = async () => {
    await open("/login");
    await page.fill("#login", login);
    await page.fill("#password", password);
    await press("ログイン");
  };
  const both = async (name) => {
    await page.setViewportSize(NARROW);
    await look(page, `${name}-narrow`);
    await page.setViewportSize(WIDE);
    await look(page, name);
  };

  await byPassword();
  await page.waitForURL(`${city.url}/`);
  await open("/account/second-factor");
  await both("passkey-none");
  await press("パスキーを登録する");
  assert.equal(await page.evaluate(() => document.activeElement.id), "passkey_name", "the name is asked for before the device");
  await page.fill("#passkey_name", "席のパソコン");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "回復コード" }).waitFor();
  assert.equal(await page.locator("main ol code").count(), 10);
  await both("passkey-codes");
  const { credentials } = await cdp.send("WebAuthn.getCredentials", { authenticatorId });
  assert.equal(credentials.length, 1);
  assert.deepEqual([credentials[0].rpId, credentials[0].isResidentCredential], ["localhost", true]);
  assert.ok(!Buffer.from(credentials[0].userHandle, "base64").toString("latin1").includes(login));
  await open("/account/second-factor");
  await both("passkey-one");

  await leave();
  await both("passkey-login");
  await press("パスキーでログイン");
  await page.waitForURL(`${city.url}/`);
  await leave();
  await byPassword();
  await page.waitForURL(/\/login\/code/);
  await both("passkey-code");
  await press("パスキーでログイン");
  await page.waitForURL(`${city.url}/`);

  // Twenty minutes later: the session is still there, its proof is not.
  await city.stop();
  await begin(20 / 1440);
  await open("/account");
  await page.fill("#name", "集計");
  await page.getByLabel("（read）").check();
  await press("トークンを作る");
  await page.getByRole("heading", { name: "もう一度、本人であることを確かめます" }).waitFor();
  await both("passkey-proof");
  await press("パスキーで確かめて進む");
  await page.getByText("トークンを作りました").waitFor();

  // What the browser refuses is said beside the button, and nothing is sent.
  await open("/account/second-factor");
  await page.fill("#passkey_name", "もう一つ");
  await press("パスキーを登録する");
  await page.getByText("この機器のパスキーは、すでに登録されています").waitFor();
  await both("passkey-refused");
  await press("パスキー「席のパソコン」を取り消す");
  await page.getByText("パスキーを取り消しました").waitFor();
  await leave();
  await press("パスキーでログイン");
  await page.getByText("登録されていないか、取り消されています").waitFor();
  await both("passkey-removed");

  await page.goto(`${city.url.replace("localhost", "127.0.0.1")}/login`);
  assert.ok(!(await page.getByRole("button", { name: "パスキーでログイン" }).isVisible()), "another address has no button");
  const plain = await (await browser.newContext({ javaScriptEnabled: false, locale: "ja-JP" })).newPage();
  await plain.goto(`${city.url}/login`);
  assert.ok(!(await plain.getByRole("button", { name: "パスキーでログイン" }).isVisible()), "nor has one without script");
  assert.ok(await plain.locator("#password").isVisible());
  console.log("passkeys: registered, used in three ways, removed");
} finally {
  await browser.close();
  await city.stop();
  city.remove();
}
