// Pictures for the guide, made from a running demo city: node screenshots.mjs FOLDER. They are not kept in the repository: make them anew for each
// version, so that they show the program as it is.
import assert from "node:assert/strict";
import { join } from "node:path";
import { City } from "./city.mjs";
import { launch, login, shots, WIDE } from "./look.mjs";

assert.ok(shots, "name the folder for the pictures");
/** Name of the picture, who looks, where. */
const PICTURES = [
  ["home", "staff", "/"],
  ["apply", "staff", "/apply/take_out"],
  ["handling", "staff", "/handling"],
  ["search", "staff", "/search?q=台帳"],
  ["inbox", "manager", "/inbox"],
  ["register", "manager", "/registers/asset"],
  ["duties", "manager", "/duties"],
  ["absences", "manager", "/absences"],
  ["delegations", "manager", "/delegations"],
  ["clauses", "manager", "/clauses"],
  ["dashboard", "manager", "/dashboard"],
  ["calendar", "manager", "/calendar"],
  ["ledger", "auditor", "/ledger"],
];

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
  console.log(`${PICTURES.length} pictures in ${shots}`);
} finally {
  await browser.close();
  await city.stop();
  city.remove();
}
