// Walks every procedure of the pack to its end as the people of the demo city would: whoever has something to do on the case page
// does it. Every page on the way is looked at with axe, at both widths, and the printed form is fetched.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { City } from "./city.mjs";
import { NARROW, WIDE, day, launch, login, look, looked, shots } from "./look.mjs";

/** Procedures that an applicant begins, with who does; the first login that may apply is taken. */
const APPLICANTS = ["staff", "manager", "system", "officer"];
/** Answers that the general ones do not fit. */
const ANSWERS = {
  cloud_service: { register: { cloud_service: { name: "電子申請サービス", certified_until: day(300) } } },
  external_connection: { register: { external_connection: { name: "県との専用線" } } },
  exception: { clauses_off: "5.1.1.3.イ" },
  // What goes on after the emergency is applied for as an exception of its own: that is tried elsewhere.
  emergency_exception: { clauses_off: "5.1.1.3.イ", steps: { report: { "e.beyond": false } } },
  policy_revision: {
    by: "officer",
    register: { meeting: { held_on: day(0) } },
    affected: "5.1.1.5",
    in_force_on: day(1),
    steps: { deliberate: { "e.meeting": "W-ME-1" } },
  },
};
/** Some procedures only, named on the command line after the folder for pictures. */
const only = process.argv.slice(3);

const city = new City();
const browser = await launch();
const people = new Map();

async function person(name) {
  if (!people.has(name)) people.set(name, await login(browser, city, name, WIDE));
  return people.get(name).page;
}

/** Fills what a form asks for: the first choice, today for dates, every box; `answers` come first. */
async function fill(form, answers, ahead = 0) {
  for (const field of await form.locator("input:visible, select:visible, textarea:visible").all()) {
    const [name, tag, type] = await field.evaluate((f) => [f.name, f.tagName, f.type]);
    if (type === "search" || type === "radio" || name === "attachment" || name === "file") continue;
    if (name in answers) {
      if (tag === "SELECT") await field.selectOption(answers[name]);
      else if (type === "checkbox") await field.setChecked(answers[name]);
      else if (type === "file") await field.setInputFiles(answers[name]);
      else await field.fill(answers[name]);
    } else if (tag === "SELECT") {
      if (!(await field.inputValue())) await field.selectOption({ index: 1 });
    } else if (type === "checkbox") {
      if (!(await field.evaluate((f) => Boolean(f.closest("table"))))) await field.check();
    } else if (type === "file") {
      await field.setInputFiles({ name: "記録.txt", mimeType: "text/plain", buffer: Buffer.from("作業の記録") });
    } else if (!(await field.inputValue())) {
      const label = await form.locator(`label[for="${name}"]`).innerText();
      const is_date = /日/.test(label) && (await field.evaluate((f) => f.classList.contains("short")));
      await field.fill(is_date ? day(/until$|_by$/.test(name) ? ahead : 0) : (await field.evaluate((f) => f.inputMode === "numeric")) ? "1" : "確かめました。");
    }
  }
}

/** Puts the first thing found in each list of things. */
async function pick(page, words) {
  for (const name of await page.locator("fieldset:has(input[type=search])").evaluateAll((all) => all.map((f) => f.id))) {
    for (const word of words) {
      const list = page.locator(`fieldset[id="${name}"]`);
      if ((await list.locator("caption:has-text('選んだもの')").count()) > 0) break;
      await list.locator("input[type=search]").fill(word);
      await list.locator("button:has-text('探す')").click();
      const found = page.locator(`fieldset[id="${name}"] table:has(caption:has-text('見つかったもの')) input[type=checkbox]`);
      if ((await found.count()) === 0) continue;
      await found.first().check();
      await page.locator(`fieldset[id="${name}"] button:has-text('チェックしたものを入れる')`).click();
    }
  }
}

/** A row in a register of the applicant's section, kept by the same post as its assets. */
async function register(page, id, values) {
  await page.goto(`${city.url}/registers/${id}/new`);
  const kept = {};
  if ((await page.locator("#manager").count()) > 0) {
    await page.goto(`${city.url}/registers/asset`);
    await page.goto(new URL(await page.locator("main tbody a").first().getAttribute("href"), page.url()).href);
    const edit = page.locator("a[href$='/edit']");
    if ((await edit.count()) === 0) return false;
    await edit.click();
    kept.manager = await page.inputValue("#manager");
    await page.goto(`${city.url}/registers/${id}/new`);
  }
  await fill(page.locator("#edit-form"), { ...values, ...kept, number: `W-${id.slice(0, 2).toUpperCase()}-1`, boundary_device: "", permit_number: "" });
  await look(page, `register-${id}`);
  await page.click("#edit-form button.primary");
  assert.equal(await told(page), "", `a row of ${id}`);
  return true;
}

const told = async (page) => (await page.locator(".notice.error").allInnerTexts()).join(" ");

/** Changes the class of the first asset in the list, by the form with a dry run. */
async function bulk(page, procedure, answers) {
  const form = page.url();
  await page.goto(`${city.url}/registers/asset`);
  const numbers = await page.locator("main tbody th a").first().innerText();
  await page.goto(form);
  await fill(page.locator("main form[action^='/bulk/']"), { ...answers, numbers });
  await look(page, `${procedure}-apply`);
  await page.click("button:has-text('どう変わるかを確かめる')");
  await look(page, `${procedure}-dry-run`);
  await page.click("button:has-text('変更を申請する')");
  assert.match(page.url(), /\/cases\//, await told(page));
}

/** Applies as the first who may; who that was and the address of the case. */
async function apply(procedure, answers) {
  let refused = "";
  for (const [id, values] of Object.entries(answers.register || {})) await register(await person(answers.by || "manager"), id, values);
  for (const name of answers.by ? [answers.by] : APPLICANTS) {
    const page = await person(name);
    const reply = await page.goto(`${city.url}/apply/${procedure}`);
    if (reply.status() !== 200) continue;
    if (new URL(page.url()).pathname.startsWith("/bulk/")) {
      await bulk(page, procedure, answers);
      return { name, address: page.url().split("?")[0] };
    }
    await pick(page, answers.words || ["台帳", "端末", "USB", "サービス", "専用線"]);
    await fill(page.locator("main form[action^='/apply/']"), answers, 30);
    await look(page, `${procedure}-apply`);
    await page.click("button:has-text('申請する')");
    if (/\/cases\//.test(page.url())) return { name, address: page.url().split("?")[0] };
    refused = `${name}: ${await told(page)}`;
    if (!/その人に申請を頼んで/.test(refused)) break;
  }
  assert.fail(`${procedure} is not accepted: ${refused}`);
}

/** Lets whoever may act do so until the case has ended. */
async function play(procedure, address, answers) {
  const done = [];
  for (let round = 0; round < 40; round += 1) {
    let acted = false;
    for (const { login: name } of city.logins) {
      const page = await person(name);
      const reply = await page.goto(address);
      if (reply.status() !== 200) continue;
      const forms = page.locator("#act form:has(button.primary)");
      if ((await forms.count()) === 0) continue;
      const form = forms.first();
      const [step, button] = [await form.locator("input[name=step]").inputValue(), form.locator("button.primary").first()];
      const words = await button.innerText();
      await fill(form, { ...answers, ...(answers.steps?.[step] || {}) });
      await look(page, `${procedure}-${done.length + 1}-${step}`);
      await button.click();
      const wrong = await told(page);
      assert.equal(wrong, "", `${procedure}: ${name} cannot do 「${words}」 at ${step}: ${wrong}`);
      done.push(`${step} (${name})`);
      acted = true;
      break;
    }
    if (!acted) break;
  }
  return done;
}

try {
  await city.start();
  const ids = new Set();
  for (const name of APPLICANTS) {
    const page = await person(name);
    await page.goto(city.url);
    for (const link of await page.locator("a[href^='/apply/']").evaluateAll((all) => all.map((a) => a.getAttribute("href")))) {
      ids.add(link.split("/")[2].split("?")[0]);
    }
  }
  assert.ok(ids.size >= 6, `the home pages offer the procedures, found ${[...ids]}`);
  let walked = 0;
  for (const procedure of ids) {
    if (only.length > 0 && !only.includes(procedure)) continue;
    const answers = ANSWERS[procedure] || {};
    const applied = await apply(procedure, answers);
    const { address } = applied;
    walked += 1;
    const done = { applicant: applied.name, steps: await play(procedure, applied.address, answers) };
    const page = await person(done.applicant);
    await page.goto(address);
    const status = await page.locator("h1 + p .tag").innerText();
    assert.equal(status, "完了", `${procedure} after ${done.steps.join("、")}`);
    for (const link of await page.locator("a[href$='.pdf']").evaluateAll((all) => all.map((a) => a.href))) {
      const pdf = await page.context().request.get(link);
      assert.ok(pdf.ok() && (await pdf.body()).subarray(0, 5).toString() === "%PDF-", `${link} is a printed form`);
      if (shots) writeFileSync(join(shots, `${procedure}.pdf`), await pdf.body());
    }
    console.log(`${procedure}: ${done.steps.join(", ")}`);
    await look(page, `${procedure}-end`);
    await page.setViewportSize(NARROW);
    await look(page, `${procedure}-end-narrow`);
    await page.setViewportSize(WIDE);
  }
  console.log(`browser procedures: ${walked} procedures walked, ${looked()} pages looked at with axe, nothing found`);
} finally {
  await browser.close();
  await city.stop();
  city.remove();
}
