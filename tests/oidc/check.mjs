// See `run`. A browser without a screen: cookies by path, no redirection followed unasked.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const bin = process.env.SEKISHO_BIN;
const folder = mkdtempSync(join(tmpdir(), "sekisho-oidc-"));
const data = join(folder, "city");
const running = new Set();

const freePort = () => new Promise((resolve, reject) => {
  const probe = createServer();
  probe.on("error", reject);
  probe.listen(0, "127.0.0.1", () => { const { port } = probe.address(); probe.close(() => resolve(port)); });
});

/** Starts a program and waits for a word of it. */
const start = (command, args, word) => new Promise((resolve, reject) => {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let text = "";
  const timer = setTimeout(() => reject(new Error(`${args[0]} said no ${word} in 120 s: ${text}`)), 120_000);
  child.on("exit", () => { running.delete(child); reject(new Error(`${args[0]} ended: ${text}`)); });
  const hear = (part) => { text += part; if (text.includes(word)) { clearTimeout(timer); resolve(child); } };
  child.stdout.on("data", hear);
  child.stderr.on("data", hear);
});
const stop = (child) => new Promise((resolve) => { child.removeAllListeners("exit"); child.on("exit", () => { running.delete(child); resolve(); }); child.kill("SIGTERM"); });

class Browser {
  constructor() { this.jar = new Map(); }
  async ask(url, options = {}) {
    const { origin, pathname } = new URL(url);
    const fits = ([, c]) => c.origin === origin && pathname.startsWith(c.path);
    const cookie = [...this.jar].filter(fits).map(([, c]) => `${c.name}=${c.value}`).join("; ");
    const headers = { cookie, origin, ...(options.form && { "content-type": "application/x-www-form-urlencoded" }) };
    const answer = await fetch(url, { method: options.form ? "POST" : "GET", body: options.form && new URLSearchParams(options.form), headers, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) {
      const [pair, ...rest] = line.split(";").map((s) => s.trim());
      const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
      const attribute = (a) => rest.find((r) => r.toLowerCase().startsWith(`${a}=`))?.slice(a.length + 1);
      const path = attribute("path") ?? "/";
      const over = value === "" || attribute("max-age") === "0" || new Date(attribute("expires")) < new Date();
      over ? this.jar.delete(`${origin} ${path} ${name}`) : this.jar.set(`${origin} ${path} ${name}`, { origin, path, name, value });
    }
    const location = answer.headers.get("location");
    return { status: answer.status, text: await answer.text(), location: location && new URL(location, url).href };
  }
  /** Goes on from an address until somebody named `login` is sent back to the site; answers the way back, not taken yet. */
  async through(url, login, site) {
    let asked = 0;
    for (let step = 0; step < 20; step += 1) {
      if (url.startsWith(site)) return { back: url, asked };
      let page = await this.ask(url);
      if (page.status === 200) {
        const action = page.text.match(/<form[^>]* action="([^"]+)"/)?.[1];
        assert.ok(action, page.text);
        // Where somebody else was logged in there, a page that ends that session comes between, without a question.
        const hidden = [...page.text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
        const form = Object.fromEntries(hidden.map((m) => [m[1], m[2]]));
        if (form.prompt === "login") {
          asked += 1;
          Object.assign(form, { login, password: "x" });
        }
        page = await this.ask(new URL(action, url).href, { form });
      }
      assert.ok(page.location, `${page.status} ${page.text}`);
      url = page.location;
    }
    throw new Error(`no way back from ${url}`);
  }
}

const port = await freePort();
const site = `http://127.0.0.1:${port}`;
const providerPort = await freePort();
const secret = join(folder, "secret");
writeFileSync(secret, "a secret/with+signs:and a colon\n");
const options = (client) => [
  "--data", data, "--site", site, "--oidc-issuer", `http://127.0.0.1:${providerPort}`, "--oidc-client-id", client, "--oidc-title", "庁内の認証",
  ...(client === "public" ? [] : ["--oidc-client-secret-file", secret]),
];
const serve = (client) => start(bin, ["serve", "--listen", `127.0.0.1:${port}`, ...options(client)], "で動いています");
const doctor = () => {
  try {
    return execFileSync(bin, ["doctor", "--json", ...options("rs256")], { encoding: "utf8" });
  } catch (e) { return e.stdout; }
};
const finding = () => JSON.parse(doctor()).findings.find((f) => f.id === "login.oidc");
const leave = async (b, next = "/cases") => (await b.ask(`${site}/login/oidc?next=${next}`)).location;
const subject = (login) => `subject-of-${login}`;

try {
  execFileSync(bin, ["demo", "--make-only", "--data", data, "--seed", "1"], { stdio: ["ignore", "ignore", "inherit"] });
  assert.equal(finding().state, "caution", "the provider does not run yet");
  const provider = await start("node", ["provider.mjs", String(providerPort), site], "ready");
  const healthy = finding();
  assert.equal(healthy.state, "good", JSON.stringify(healthy));
  assert.ok(healthy.says.includes(`${site}/login/oidc/callback`));

  for (const client of ["es256", "ps256", "public", "rs256"]) {
    const server = await serve(client);
    const b = new Browser();
    const { back } = await b.through(await leave(b), subject("staff"), site);
    const home = await b.ask(back);
    assert.equal(home.location, `${site}/cases`, `${client}: ${home.text}`);
    assert.equal((await b.ask(home.location)).status, 200, client);
    console.log(`ok: signed in (${client})`);
    if (client !== "rs256") { await stop(server); continue; }

    const replay = await b.ask(back);
    assert.equal(replay.status, 401, "the cookie of the sign-in is gone");
    const held = new Browser();
    const away = await held.through(await leave(held), subject("manager"), site);
    const kept = new Map(held.jar);
    const other = await new Browser().ask(away.back);
    assert.equal(other.status, 401, "another browser");
    const tampered = await held.ask(away.back.replace(/state=../, "state=xx"));
    assert.equal(tampered.status, 401, "the state was changed");
    held.jar = new Map(kept);
    assert.equal((await held.ask(away.back)).location, `${site}/cases`);
    held.jar = new Map(kept);
    const twice = await held.ask(away.back);
    assert.ok(twice.status === 401 && twice.text.includes("もう受け付けません"), twice.text);
    console.log("ok: an answer belongs to its browser and is taken once");

    const stranger = new Browser();
    const nobody = await stranger.ask((await stranger.through(await leave(stranger), subject("nobody"), site)).back);
    assert.ok(nobody.status === 401 && nobody.text.includes("「nobody」というログインがありません"), nobody.text);
    const namesake = new Browser();
    const taken = await namesake.ask((await namesake.through(await leave(namesake), "staff", site)).back);
    assert.ok(taken.status === 401 && taken.text.includes("以前は別の人"), taken.text);
    console.log("ok: nobody else comes in");

    // Already logged in there, the provider asks nobody again; for a proof it does.
    const admin = new Browser();
    await admin.ask((await admin.through(await leave(admin), subject("system"), site)).back);
    const silent = await admin.through(await leave(admin), subject("system"), site);
    assert.equal(silent.asked, 0);
    await admin.ask(silent.back);
    const proof = await admin.through((await admin.ask(`${site}/login/oidc/again`)).location, subject("system"), site);
    assert.equal(proof.asked, 1, "the provider asked who it is");
    const proved = await admin.ask(proof.back);
    assert.ok(proved.status === 200 && proved.text.includes("ログインし直したことを確かめました"), proved.text);
    const swapped = await admin.through((await admin.ask(`${site}/login/oidc/again`)).location, subject("staff"), site);
    const not = await admin.ask(swapped.back);
    assert.ok(not.status === 401 && not.text.includes("今この画面を使っている人と違います"), not.text);
    console.log("ok: a proof by logging in there again");

    await stop(provider);
    await stop(server);
    const late = new Browser();
    const without = await serve("rs256");
    const down = await late.ask(`${site}/login/oidc`);
    assert.ok(down.status === 503 && down.text.includes("今は庁内の認証でログインできません"), down.text);
    const local = await late.ask(`${site}/login`, { form: { login: "staff", password: "demo-staff-2026", next: "/" } });
    assert.equal(local.status, 303, local.text);
    console.log("ok: the local login stays while the provider is gone");
    await stop(without);
  }
  execFileSync(bin, ["ledger", "verify", "--data", data], { stdio: ["ignore", "ignore", "inherit"] });
  console.log("tests/oidc: all passed");
} finally {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
