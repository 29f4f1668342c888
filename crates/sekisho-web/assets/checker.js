// Checks permits without the server: digits, SHA-2 and Ed25519 of our own, so that it works from a file in any browser of the last years,
// whatever that browser calls a secure context. Held to crates/sekisho-ledger/tests/permit_vectors.json by tests/browser/permit.mjs.
"use strict";

// ---------------------------------------------------------------- SHA-2 (FIPS 180-4)

const MASK64 = (1n << 64n) - 1n;

function isqrt(n, root) {
  // The largest x with x^root <= n, by bisection.
  let low = 0n;
  let high = 1n << 80n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** root <= n) low = middle; else high = middle;
  }
  return low;
}

const PRIMES = [];
for (let n = 2; PRIMES.length < 80; n += 1) if (PRIMES.every((p) => n % p)) PRIMES.push(n);
// The first 64 bits behind the point of cube and square roots of primes; SHA-256 takes 32 of them.
const K512 = PRIMES.map((p) => isqrt(BigInt(p) << 192n, 3n) & MASK64);
const H512 = PRIMES.slice(0, 8).map((p) => isqrt(BigInt(p) << 128n, 2n) & MASK64);
const K256 = K512.slice(0, 64).map((k) => Number(k >> 32n));
const H256 = H512.map((h) => Number(h >> 32n));

function padded(bytes, block) {
  const length = Math.ceil((bytes.length + 1 + block / 8) / block) * block;
  const out = new Uint8Array(length);
  out.set(bytes);
  out[bytes.length] = 0x80;
  new DataView(out.buffer).setBigUint64(length - 8, BigInt(bytes.length) * 8n);
  return out;
}

function sha256(bytes) {
  const all = padded(bytes, 64);
  const view = new DataView(all.buffer);
  const h = Uint32Array.from(H256);
  const w = new Uint32Array(64);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  for (let at = 0; at < all.length; at += 64) {
    for (let i = 0; i < 16; i += 1) w[i] = view.getUint32(at + 4 * i);
    for (let i = 16; i < 64; i += 1) {
      const s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >>> 3);
      const s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >>> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    let [a, b, c, d, e, f, g, k] = h;
    for (let i = 0; i < 64; i += 1) {
      const t1 = (k + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K256[i] + w[i]) | 0;
      const t2 = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [k, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    [a, b, c, d, e, f, g, k].forEach((x, i) => { h[i] += x; });
  }
  const out = new Uint8Array(32);
  h.forEach((x, i) => new DataView(out.buffer).setUint32(4 * i, x));
  return out;
}

function sha512(bytes) {
  const all = padded(bytes, 128);
  const view = new DataView(all.buffer);
  const h = H512.slice();
  const turn = (x, n) => (x >> n) | ((x << (64n - n)) & MASK64);
  for (let at = 0; at < all.length; at += 128) {
    const w = [];
    for (let i = 0; i < 16; i += 1) w.push(view.getBigUint64(at + 8 * i));
    for (let i = 16; i < 80; i += 1) {
      const s0 = turn(w[i - 15], 1n) ^ turn(w[i - 15], 8n) ^ (w[i - 15] >> 7n);
      const s1 = turn(w[i - 2], 19n) ^ turn(w[i - 2], 61n) ^ (w[i - 2] >> 6n);
      w.push((w[i - 16] + s0 + w[i - 7] + s1) & MASK64);
    }
    let [a, b, c, d, e, f, g, k] = h;
    for (let i = 0; i < 80; i += 1) {
      const t1 = k + (turn(e, 14n) ^ turn(e, 18n) ^ turn(e, 41n)) + ((e & f) ^ ((MASK64 ^ e) & g)) + K512[i] + w[i];
      const t2 = (turn(a, 28n) ^ turn(a, 34n) ^ turn(a, 39n)) + ((a & b) ^ (a & c) ^ (b & c));
      [k, g, f, e, d, c, b, a] = [g, f, e, (d + t1) & MASK64, c, b, a, (t1 + t2) & MASK64];
    }
    [a, b, c, d, e, f, g, k].forEach((x, i) => { h[i] = (h[i] + x) & MASK64; });
  }
  const out = new Uint8Array(64);
  h.forEach((x, i) => new DataView(out.buffer).setBigUint64(8 * i, x));
  return out;
}

// ---------------------------------------------------------------- Ed25519 (RFC 8032), verification alone

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (x) => ((x % P) + P) % P;

function power(base, exponent) {
  let [result, square] = [1n, mod(base)];
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

const invert = (x) => power(x, P - 2n);
const D = mod(-121665n * invert(121666n));
const ROOT = power(2n, (P - 1n) / 4n);

const number = (bytes) => bytes.reduceRight((n, b) => (n << 8n) | BigInt(b), 0n);

/** The point of 32 bytes as [x, y, z, t], or null. */
function point(bytes) {
  const whole = number(bytes);
  const [y, sign] = [whole & ((1n << 255n) - 1n), whole >> 255n];
  if (y >= P) return null;
  const square = mod((y * y - 1n) * invert(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * ROOT);
  if (mod(x * x) !== square || (x === 0n && sign === 1n)) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
}

function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2));
  const b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * D * t1 * t2);
  const d = mod(2n * z1 * z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

function times(p, n) {
  let result = [0n, 1n, 1n, 0n];
  for (let [q, e] = [p, n]; e > 0n; e >>= 1n) {
    if (e & 1n) result = add(result, q);
    q = add(q, q);
  }
  return result;
}

const BASE = point(Uint8Array.from([0x58, ...Array(31).fill(0x66)]));

/** Whether a signature of 64 bytes over a message was made with the key of these 32 bytes. */
function verifies(key, message, signature) {
  if (key.length !== 32 || signature.length !== 64) return false;
  const a = point(key);
  const s = number(signature.subarray(32));
  if (!a || s >= ORDER) return false;
  const hashed = new Uint8Array(64 + message.length);
  hashed.set(signature.subarray(0, 32));
  hashed.set(key, 32);
  hashed.set(message, 64);
  const k = number(sha512(hashed)) % ORDER;
  const negative = [mod(-a[0]), a[1], a[2], mod(-a[3])];
  const [x, y, z] = add(times(BASE, s), times(negative, k));
  const over = invert(z);
  const written = mod(y * over) | ((mod(x * over) & 1n) << 255n);
  return written === number(signature.subarray(0, 32));
}

// ---------------------------------------------------------------- texts

const utf8 = new TextEncoder();
const joined = (...parts) => Uint8Array.from(parts.flatMap((p) => [...p]));
const hex = (bytes) => [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
const fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** A permit's key from its line: { body, bytes }. */
function readKey(line) {
  const [, body, data] = /^sekisho-permit\.([A-Za-z0-9._-]+)\+[0-9a-f]{8}\+([A-Za-z0-9+/=]+)$/.exec(line.trim()) || [];
  if (!body) return null;
  const bytes = fromBase64(data);
  return bytes.length === 33 && bytes[0] === 1 ? { body, bytes: bytes.subarray(1) } : null;
}

const DIGITS = [0, 3, 5, 8, 10, 13, 15, 17];

function fromDigits(text) {
  const out = [];
  for (let at = 0; at < text.length; at += 17) {
    const group = text.slice(at, at + 17);
    const size = DIGITS.indexOf(group.length);
    if (size < 0) return null;
    const value = BigInt(group);
    if (value >> BigInt(8 * size)) return null;
    for (let i = size - 1; i >= 0; i -= 1) out.push(Number((value >> BigInt(8 * i)) & 255n));
  }
  return Uint8Array.from(out);
}

/** A code's content with what was signed, or null. */
function readStatement(text) {
  if ([...text].length > 4000) return null;
  const plain = text.replace(/[０-９]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)).replace(/[ \t\r\n\u3000]/g, "");
  if (!/^4701[0-9]+$/.test(plain)) return null;
  const bytes = fromDigits(plain.slice(4));
  if (!bytes || bytes.length < 64 || bytes.length > 560 + 64) return null;
  const content = bytes.subarray(0, bytes.length - 64);
  let lines;
  try { lines = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content).split("\n"); } catch { return null; }
  if (lines.pop() !== "" || lines.length < 11) return null;
  const [body, bodyTitle, title, permit, id, holder, from, until, issued, kind, counted, ...items] = lines;
  const [, count, hash] = /^(0|[1-9][0-9]*) (-|[0-9a-f]{32})$/.exec(counted) || [];
  const day = (d) => /^\d{4}-\d\d-\d\d$/.test(d) && new Date(`${d}T00:00:00Z`).toISOString().startsWith(d);
  let sound = false;
  try { sound = day(from) && day(until) && new Date(issued).toISOString() === issued; } catch { return null; }
  if (!sound || !count || !["once", "blanket"].includes(kind) || !items.every((i) => i.includes("\t"))) return null;
  if (hash === "-" ? items.length !== Number(count) : items.length >= Number(count)) return null;
  return {
    body, bodyTitle, title, number: permit, id, holder, from, until, issued, blanket: kind === "blanket", count: Number(count),
    items: items.map((i) => ({ code: i.slice(0, i.indexOf("\t")), name: i.slice(i.indexOf("\t") + 1) })),
    message: joined(utf8.encode("sekisho permit statement v1\n"), sha256(content)), signature: bytes.subarray(bytes.length - 64),
  };
}

/** The list of what ended, or null where none of the keys signed it. */
function readList(text, keys) {
  const split = text.trimEnd().lastIndexOf("\n") + 1;
  const content = text.slice(0, split);
  const [head, body, made, until, count, ...lines] = content.split("\n");
  if (head !== "sekisho-permit-list 1" || lines.pop() !== "" || Number(count) !== lines.length) return null;
  let signature;
  try { signature = fromBase64(text.slice(split).trimEnd()); } catch { return null; }
  const message = joined(utf8.encode("sekisho permit list v1\n"), sha256(utf8.encode(content)));
  if (!keys.some((k) => k.body === body && verifies(k.bytes, message, signature))) return null;
  return { body, made: Date.parse(made), until: Date.parse(until), ended: new Map(lines.map((l) => l.split(" "))) };
}

const shortId = (body, permit) => hex(sha256(utf8.encode(`sekisho permit number v1\n${body}\n${permit}`)).subarray(0, 8));

/** The civil day in Tokyo of a moment, as 2026-11-25. */
const dayOf = (at) => new Date(at + 9 * 3_600_000).toISOString().slice(0, 10);

/** The verdict on a text at a moment (milliseconds), as `check` of crates/sekisho-ledger/src/permit/check.rs gives it. */
function check(text, keys, list, at) {
  const found = readStatement(text);
  if (!found) return { verdict: "unreadable" };
  if (!keys.some((k) => k.body === found.body && verifies(k.bytes, found.message, found.signature))) {
    return { verdict: keys.some((k) => k.body === found.body) ? "forged" : "other_body" };
  }
  const of = list && list.body === found.body ? list : null;
  const today = dayOf(at);
  const ended = of && of.ended.get(shortId(of.body, found.number));
  let verdict = "valid";
  if (ended) verdict = ended;
  else if (of && of.made > at + 600_000) verdict = "clock";
  else if (today > found.until) verdict = "expired";
  else if (today < found.from) verdict = "not_yet";
  else if (of && at > of.until) verdict = "list_old";
  return { verdict, statement: found };
}

// ---------------------------------------------------------------- the page

const WORDS = {
  valid: ["有効", "good", "この許可証は有効です。下の内容と、持っているもの・人を見比べてください。"],
  list_old: ["この一覧は古い", "warn", "署名と期間は正しいのですが、手元の一覧が古く、取り消されていないかを確かめられません。新しい確認ページを受け取るか、所管課に電話で確かめてください。"],
  revoked: ["取消し済み", "bad", "この許可は取り消されています。持ち出せません。所管課に連絡してください。"],
  returned: ["返却済み", "bad", "この許可で持ち出したものは、もう返されています。もう一度持ち出すには、新しい許可が要ります。"],
  closed: ["終了", "bad", "この許可は終わっています。持ち出せません。"],
  expired: ["期限切れ", "bad", "許可の期間が過ぎています。延長されたときは、印刷し直した許可証を見せてもらってください。"],
  not_yet: ["期間の前", "bad", "許可の期間がまだ始まっていません。"],
  clock: ["日時を確認", "warn", "この端末の日時が、一覧の作成より前になっています。端末の日時を直してから、もう一度読み取ってください。"],
  other_body: ["無効", "bad", "この団体の許可証ではありません。"],
  forged: ["無効", "bad", "署名が合いません。書き換えられたか、正しく発行されていない許可証です。所管課に連絡してください。"],
  unreadable: ["読み取れません", "warn", "許可証のQRコードの内容ではありません。もう一度読み取ってください。"],
};

/** A day as `Date::japanese` of crates/sekisho-base/src/date.rs writes it: this page stands alone. */
function japaneseDay(day) {
  const [y, m, d] = day.split("-").map(Number);
  const year = day >= "2019-05-01" ? `令和${y === 2019 ? "元" : y - 2018}年` : `${y}年`;
  return `${year}${m}月${d}日`;
}

function japaneseMoment(at) {
  const [, hour, minute] = /T(\d\d):(\d\d)/.exec(new Date(at + 9 * 3_600_000).toISOString());
  return `${japaneseDay(dayOf(at))} ${Number(hour)}時${minute}分`;
}

function start() {
  const text = (id) => document.getElementById(id).textContent.trim();
  const keys = text("keys").split("\n").map(readKey).filter(Boolean);
  const list = readList(`${text("list")}\n`, keys);
  const [box, big, says, pairs] = ["result", "verdict", "says", "pairs"].map((id) => document.getElementById(id));
  const input = document.getElementById("code");

  const age = () => {
    const line = document.getElementById("age");
    if (!list) { line.textContent = "このファイルの一覧は壊れています。新しい確認ページを受け取ってください。"; line.className = "bad"; return; }
    const old = Date.now() > list.until;
    line.className = old ? "warn" : "";
    line.textContent = `一覧の作成 ${japaneseMoment(list.made)}　有効 ${japaneseMoment(list.until)}まで${old ? "　← この一覧は古いので、新しいものを受け取ってください" : ""}`;
  };

  const show = (typed) => {
    const at = Date.now();
    age();
    const answer = check(typed, keys, list, at);
    let { verdict } = answer;
    // A broken list is as good as none, and none is not enough here.
    if (!list && verdict === "valid") verdict = "list_old";
    const [word, kind, help] = WORDS[verdict];
    box.className = kind;
    big.textContent = word;
    says.textContent = help;
    pairs.replaceChildren();
    const pair = (name, value) => {
      const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
      [dt.textContent, dd.textContent] = [name, value];
      pairs.append(dt, dd);
    };
    const s = answer.statement;
    if (s) {
      pair("団体", s.bodyTitle);
      pair("許可", `${s.title}${s.blanket ? "（期間中、繰り返し出し入れできる包括許可）" : ""}`);
      pair("許可番号", s.number);
      pair("持ち出す人", s.holder);
      pair("期間", `${japaneseDay(s.from)} から ${japaneseDay(s.until)} まで`);
      s.items.forEach((i, n) => pair(n ? "" : `もの（${s.count}件）`, `${i.code}　${i.name}`));
      if (s.items.length < s.count) pair(s.items.length ? "" : `もの（${s.count}件）`, `ほか${s.count - s.items.length}件（許可証の一覧を見てください）`);
      pair("許可した日時", japaneseMoment(Date.parse(s.issued)));
    }
    pair("確かめた日時", `${japaneseMoment(at)}（この端末の時計）`);
    box.hidden = false;
  };

  document.getElementById("form").addEventListener("submit", (e) => {
    e.preventDefault();
    show(input.value);
    // The scanner types the next one over it.
    input.select();
    input.focus();
  });
  age();
  camera(input, show, () => { box.hidden = true; });
}

/** The camera, where the browser can read QR codes; where it cannot, the page says what to do instead. */
async function camera(input, show, clear) {
  const [button, video, note] = ["camera", "video", "camera-note"].map((id) => document.getElementById(id));
  const say = (told) => { note.textContent = told; note.hidden = !told; };
  const instead = "読取り機で読むか、QRコードの内容の数字を貼り付けてください。";
  // Browsers of ordinary office machines have no reader of codes, some have one that reads no QR codes.
  const formats = typeof BarcodeDetector === "undefined" ? [] : await BarcodeDetector.getSupportedFormats().catch(() => []);
  if (!formats.includes("qr_code")) { say(`このブラウザは、カメラでQRコードを読めません（読めるのは、AndroidのChromeなどです）。${instead}`); return; }
  if (!navigator.mediaDevices) { say(`このファイルの開き方では、カメラを使えません。${instead}`); return; }
  const label = button.textContent;
  let stream = null;
  const stop = () => {
    if (stream) stream.getTracks().forEach((t) => t.stop());
    [stream, video.srcObject, video.hidden, button.textContent] = [null, null, true, label];
  };
  const look = async (detector, mine) => {
    let failures = 0;
    while (stream === mine) {
      let codes = [];
      try { codes = await detector.detect(video); failures = 0; } catch { failures += 1; }
      if (stream !== mine) return;
      // Some frames cannot be read while the picture begins; none at all means that nothing ever will be.
      if (failures > 40) { stop(); say(`カメラの映像を読めません。${instead}`); return; }
      // Other codes may be in the picture too.
      const code = codes.find((c) => c.rawValue.startsWith("4701")) || codes[0];
      if (code) { stop(); input.value = code.rawValue; show(code.rawValue); return; }
      await new Promise((resolve) => { setTimeout(resolve, 150); });
    }
  };
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (stream) { stop(); return; }
    // What was said of the last permit is not to be read as said of the next.
    clear();
    say("");
    try {
      const detector = new BarcodeDetector({ formats: ["qr_code"] });
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } } });
      const mine = stream;
      video.srcObject = stream;
      video.hidden = false;
      button.textContent = "カメラをやめる";
      await video.play();
      look(detector, mine);
    } catch (error) {
      stop();
      const why = { NotAllowedError: "カメラの使用が許されていません。ブラウザの設定でこのファイルに許すか、", NotFoundError: "カメラが見つかりません。つないでからもう一度押すか、", NotReadableError: "カメラをほかのソフトが使っています。そのソフトを閉じてからもう一度押すか、" }[error.name];
      say(why ? `${why}${instead}` : `カメラを使えません。${instead}`);
    }
  });
}

if (typeof document !== "undefined") start();
