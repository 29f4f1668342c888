// Makes a demo city and leaves its data and its key in the folder given, for the other scripts to copy.
import { cpSync } from "node:fs";
import { City } from "./city.mjs";

const city = new City();
try {
  await city.start();
  await city.stop();
  cpSync(city.folder, process.argv[2], { recursive: true });
} finally {
  await city.stop();
  city.remove();
}
