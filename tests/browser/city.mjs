// Starts a demo city of its own on a free port and stops it again; `daysLater` runs the program under libfaketime. Where SEKISHO_CITY names a folder with
// a demo city that was made today and its key (made.mjs), they are copied instead of made again.
import { spawn, execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const bin = process.env.SEKISHO_BIN;

export const freePort = () => new Promise((resolve, reject) => {
  const probe = createServer();
  probe.on("error", reject);
  probe.listen(0, "127.0.0.1", () => { const { port } = probe.address(); probe.close(() => resolve(port)); });
});

export class City {
  constructor() { this.folder = mkdtempSync(join(tmpdir(), "sekisho-browser-")); this.data = join(this.folder, "city"); }

  async start(daysLater = 0) {
    const port = await freePort();
    if (!daysLater && process.env.SEKISHO_CITY && !existsSync(this.data)) cpSync(process.env.SEKISHO_CITY, this.folder, { recursive: true });
    const args = ["demo", "--data", this.data, "--listen", `127.0.0.1:${port}`, "--seed", "1"];
    const [command, all] = daysLater ? ["faketime", ["-f", `+${daysLater}d`, bin, ...args]] : [bin, args];
    this.process = spawn(command, all, { stdio: ["ignore", "pipe", "inherit"], detached: true });
    // "close" comes when nobody holds the output any more: faketime may stand between, so the whole group counts.
    this.closed = new Promise((resolve) => this.process.on("close", resolve));
    const line = await new Promise((resolve, reject) => {
      let text = "";
      const timer = setTimeout(() => reject(new Error("the city was not ready in 300 s")), 300_000);
      this.process.on("exit", (code) => { clearTimeout(timer); reject(new Error(`the city stopped with ${code}`)); });
      this.process.stdout.on("data", (part) => {
        text += part;
        const ready = text.split("\n").find((l) => l.includes('"ready"'));
        if (ready) { clearTimeout(timer); resolve(ready); }
      });
    });
    const { ready, logins } = JSON.parse(line);
    this.url = ready;
    this.logins = logins;
  }

  login(name) {
    const found = this.logins.find((l) => l.login === name);
    if (!found) throw new Error(`no login ${name} among ${JSON.stringify(this.logins.map((l) => l.login))}`);
    return found;
  }

  async stop() {
    if (!this.process) return;
    const group = -this.process.pid;
    const signal = (name) => { try { process.kill(group, name); } catch { /* the group is gone */ } };
    this.process.removeAllListeners("exit");
    signal("SIGTERM");
    const timer = setTimeout(() => signal("SIGKILL"), 15_000);
    await this.closed;
    clearTimeout(timer);
    this.process = undefined;
  }

  sekisho(...args) { return execFileSync(bin, args, { encoding: "utf8" }); }

  remove() { rmSync(this.folder, { recursive: true, force: true }); }
}
