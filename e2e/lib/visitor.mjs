// A visitor is one person at one browser window: own cookies, own width.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { code } from "./totp.mjs";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const demo = {
  password: "absah-demo-2026",
  passphrase: "gunung biru di atas awan 7",
  totp: "JBSWY3DPEHPK3PXPABSAHDEMOABSAHDE",
};

// usedCodes remembers the step of the last code of each account: a code works once.
const usedCodes = new Map();

// pageFind runs in the page: the visible element of a selector whose text (or
// label) contains text, the innermost first.
function pageFind(selector, text) {
  const norm = (s) => (s ?? "").replace(/\s+/g, " ").trim().toLowerCase();
  const want = norm(text);
  const seen = [...document.querySelectorAll(selector)].filter((e) => e.getClientRects().length > 0);
  return seen.find((e) => norm(e.innerText) === want) ?? seen.find((e) => norm(e.innerText || e.value || e.getAttribute("aria-label")).includes(want)) ?? null;
}

// pageShows runs in the page: its state, what may be chosen, its text.
function pageShows() {
  const chosen = [...document.querySelectorAll("main input[type=checkbox], main input[type=radio]")]
    .filter((e) => e.type === "checkbox" || e.checked || e.disabled)
    .slice(0, 30)
    .map((e) => `${e.name}=${e.value}${e.checked ? " checked" : ""}${e.disabled ? " disabled" : ""}`);
  const readers = [...document.querySelectorAll("[role=region][tabindex], .reader")].map((e) => `${e.id || e.className}: at ${e.scrollTop} of ${e.scrollHeight - e.clientHeight}`);
  const text = (document.querySelector("main") ?? document.body).innerText.replace(/\s+/g, " ").trim();
  return [
    `"${document.title}", ${document.readyState}, ${document.visibilityState}, ${innerWidth}x${innerHeight}, at ${scrollY} of ${document.documentElement.scrollHeight}, focus on ${document.activeElement?.outerHTML.slice(0, 120).replace(/value="[^"]*"/g, "")}`,
    ...(chosen.length > 0 ? [`choices: ${chosen.join("; ")}`] : []),
    ...(readers.length > 0 ? [`readers: ${readers.join("; ")}`] : []),
    text.slice(0, 700),
  ];
}

const pause = (ms) => new Promise((then) => setTimeout(then, ms));

// patience is how long is waited for what must come: a busy machine is slow, and
// nothing here judges time.
const patience = 90_000;

export class Visitor {
  static async at(browser, server, { width = 1280, height = 900, lang, theme } = {}) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    await page.setViewport({ width, height });
    const v = new Visitor();
    Object.assign(v, { context, page, server, engine: browser.engine, problems: [] });
    server.visitors.add(v);
    page.on("pageerror", (e) => v.problems.push(`script: ${e.message}`));
    page.on("console", (m) => {
      const text = m.text();
      if (m.type() === "error" && !/status of (4\d\d|5\d\d)/.test(text)) v.problems.push(`console: ${text}`);
      if (/Content.Security.Policy/i.test(text)) v.problems.push(`console: ${text}`);
    });
    Visitor.inFront = undefined; // the new window is
    page.setDefaultTimeout(patience);
    if (lang || theme) {
      await v.goto("/masuk");
      if (lang) await v.language(lang);
      if (theme) await v.theme(theme);
    }
    return v;
  }

  async close() {
    await this.context.close();
    this.server.visitors.delete(this);
    assert.equal([...new Set(this.problems)].join("\n"), "", "pages or browser have faults");
  }

  // front makes this window the one in front: Firefox paints no other, and
  // what is not painted can neither be clicked nor measured, and hears of no
  // scrolling. The browser may put another one there when a window is closed.
  async front() {
    const end = Date.now() + patience;
    while (Date.now() < end) {
      if (Visitor.inFront === this && (await this.page.evaluate(() => document.visibilityState !== "hidden").catch(() => true))) return;
      if (Visitor.inFront === this) await pause(50); // it was told to come already
      await this.page.bringToFront();
      Visitor.inFront = this;
    }
    assert.fail(`${this.path()} does not come to the front`);
  }

  // until waits for what a function in the page gives to be true, in front: behind
  // another window nothing is painted, and what waits for that would wait for ever.
  async until(what, f, ...args) {
    const end = Date.now() + patience;
    for (;;) {
      await this.front();
      // Between two documents there is nobody to ask.
      const [found] = await this.page.evaluate(f, ...args).then((r) => [r], () => []);
      if (found) return;
      assert.ok(Date.now() < end, `${this.path()}: ${what} did not come to be`);
      await pause(50);
    }
  }

  // shows is what the window shows, in lines, for whoever reads that a step failed.
  async shows() {
    const seen = await Promise.race([pause(10_000).then(() => "it does not answer"), this.page.evaluate(pageShows).catch((e) => e.message)]);
    return [`${this.page.url()}`, ...(typeof seen === "string" ? [seen] : seen), ...this.problems].map((line) => line.replace(/[0-9a-f]{32}/g, "<link>"));
  }

  // goto opens a path and returns the status of the answer.
  async goto(path) {
    await this.front();
    const answer = await this.page.goto(path.startsWith("http") ? path : this.server.base + path, { waitUntil: "load" });
    return answer?.status();
  }

  path() {
    const u = new URL(this.page.url());
    return u.pathname;
  }

  async text(selector = "main") {
    const t = await this.page.$eval(selector, (e) => e.innerText);
    return t.replace(/\s+/g, " ").trim();
  }

  async sees(text, selector = "main") {
    const t = await this.text(selector);
    assert.ok(t.toLowerCase().includes(text.toLowerCase()), `${this.path()} does not say "${text}":\n${t}`);
  }

  async seesNot(text, selector = "main") {
    const t = await this.text(selector);
    assert.ok(!t.toLowerCase().includes(text.toLowerCase()), `${this.path()} says "${text}":\n${t}`);
  }

  // comes waits until the page, which renews itself or is loaded again, says text.
  async comes(text, { path, within = 120_000 } = {}) {
    const end = Date.now() + within;
    for (;;) {
      if (path) await this.goto(path);
      else await this.front();
      const t = await this.text().catch(() => "");
      if (t.toLowerCase().includes(text.toLowerCase())) return t;
      if (Date.now() > end) assert.fail(`"${text}" did not come to ${this.path()}:\n${t}`);
      await pause(300);
    }
  }

  async find(selector, text) {
    if (text === undefined) {
      // To wait for what is to be seen, it must be painted.
      await this.until(`${selector} to be seen`, (s) => [...document.querySelectorAll(s)].some((e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== "hidden"), selector);
      return this.page.waitForSelector(selector, { visible: true });
    }
    const handle = await this.page.evaluateHandle(pageFind, selector, text);
    const element = handle.asElement();
    assert.ok(element, `${this.path()} has no ${selector} "${text}":\n${await this.text("body")}`);
    return element;
  }

  async has(selector) {
    return (await this.page.$(selector)) !== null;
  }

  async fill(name, value) {
    await this.front();
    const field = await this.find(`[name="${name}"]:not([type=hidden])`);
    const tag = await field.evaluate((e) => e.tagName + (e.type ?? ""));
    if (tag.startsWith("SELECT")) return field.select(value);
    // What the keys wrote elsewhere, because the focus moved, is written again.
    for (let i = 0; i < 3; i++) {
      await field.evaluate((e) => {
        e.value = "";
        e.focus();
      });
      await field.type(value);
      if ((await field.evaluate((e) => e.value)) === value) return;
    }
  }

  // put sets a value without key strokes, for long texts and date fields.
  async put(name, value) {
    await this.page.$eval(
      `[name="${name}"]:not([type=hidden])`,
      (e, v) => {
        e.value = v;
        e.dispatchEvent(new Event("input", { bubbles: true }));
        e.dispatchEvent(new Event("change", { bubbles: true }));
      },
      value,
    );
  }

  // check chooses a radio or checkbox by name and value, by a click on it.
  async check(name, value) {
    const e = await this.page.waitForSelector(`input[name="${name}"]${value === undefined ? "" : `[value="${value}"]`}`);
    // A press that the page moved away from is made again.
    for (let i = 0; i < 5 && !(await e.evaluate((x) => x.checked)); i++) await this.press(e);
    assert.ok(await e.evaluate((x) => x.checked), `${name} did not get checked`);
  }

  // press clicks where a person would: on the element, scrolled into view. When
  // the page moved under the pointer (the meter's words came, a preview grew), it
  // clicks again.
  async press(element) {
    await this.front();
    for (let i = 0; i < 5; i++) {
      await element.evaluate((e) => {
        e.scrollIntoView({ block: "center", behavior: "instant" });
        window.absahMissed = e.matches("button, a, summary");
        // A button that moves away between the mouse's down and up gets no click.
        e.addEventListener("click", () => (window.absahMissed = false), { once: true, capture: true });
      });
      try {
        await element.click();
      } catch (e) {
        if (i === 4 || !/not clickable/.test(e.message)) throw e;
        await pause(200); // it has moved out of the window
        continue;
      }
      // Another document knows nothing of it: the click has led there.
      if (!(await this.page.evaluate(() => window.absahMissed).catch(() => false))) return;
    }
  }

  // click presses a button or link and waits for the next page.
  async click(text, selector = "main a, main button, main summary") {
    const e = await this.find(selector, text);
    await this.follow(() => this.press(e));
  }

  // submit presses the (first) button of a form, found by its action.
  async submit(action, within = "main") {
    const button = await this.find(`${within} form[action="${action}"] button:not([type=button])`);
    await this.follow(() => this.press(button));
  }

  async follow(act) {
    await Promise.all([this.page.waitForNavigation({ waitUntil: "load" }), act()]);
  }

  async language(lang) {
    const b = await this.page.$(`button[name="lang"][value="${lang}"]`);
    if (b) await this.follow(() => this.press(b));
    assert.equal(await this.page.$eval("html", (e) => e.lang), lang);
  }

  async theme(theme) {
    await this.page.evaluate((t) => {
      const f = document.createElement("form");
      f.method = "post";
      f.action = "/preferences";
      for (const [n, v] of [["theme", t], ["next", location.pathname], ["csrf", document.querySelector("[name=csrf]")?.value ?? ""]]) {
        const i = document.createElement("input");
        i.name = n;
        i.value = v;
        f.append(i);
      }
      document.body.append(f);
      window.absahTheme = f;
    }, theme);
    await this.follow(() => this.page.evaluate(() => window.absahTheme.submit()));
  }

  // signIn enters as one of the demo's people, with the second step where asked.
  async signIn(person, { password = demo.password, to } = {}) {
    await this.goto(to ? `/masuk?next=${encodeURIComponent(to)}` : "/masuk");
    await this.fill("username", person.nip);
    await this.fill("password", password);
    await this.submit("/masuk");
    if (this.path() === "/masuk/dua-langkah") {
      // A code works once, so that the next one may have to be waited for.
      const step = () => Math.floor(Date.now() / 30_000);
      const key = this.server.base + person.nip;
      while (usedCodes.get(key) === step()) await pause(500);
      usedCodes.set(key, step());
      await this.fill("code", code(demo.totp));
      await this.submit("/masuk/dua-langkah");
    }
    assert.ok(!this.path().startsWith("/masuk"), `could not sign in: ${await this.text()}`);
  }

  async signOut() {
    await this.follow(() => this.page.evaluate(() => document.querySelector('form[action="/keluar"]').submit()));
  }

  // accessible runs axe's WCAG rules over the page.
  async accessible(what = this.path()) {
    await this.front();
    await this.page.evaluate(axeSource);
    const found = await this.page.evaluate(async () => {
      // A bar that stands at an edge of the window covers half a control wherever the page happens to stand.
      const [x, y] = [window.scrollX, window.scrollY];
      window.scrollTo(0, 0);
      const r = await window.axe.run(document, { iframes: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
      window.scrollTo(x, y);
      return r.violations.map((v) => `${v.id}: ${v.help}\n` + v.nodes.map((n) => `    ${n.target.join(" ")}  ${n.failureSummary.split("\n").slice(1, 3).join("; ")}`).join("\n"));
    });
    // Noted, not thrown: a journey goes on, and all that is wrong is told at its end.
    for (const f of found) this.problems.push(`axe on ${what}: ${f}`);
  }

  // fits fails when the page is wider than the window.
  async fits() {
    const over = await this.page.evaluate(() => {
      const w = document.documentElement.clientWidth;
      if (document.documentElement.scrollWidth <= w) return [];
      return [...document.querySelectorAll("main *")]
        .filter((e) => e.getBoundingClientRect().right > w + 1)
        .slice(0, 5)
        .map((e) => `${e.tagName}.${e.className}`);
    });
    if (over.length > 0) this.problems.push(`${this.path()} is wider than the window: ${over.join(", ")}`);
    // A field in which nobody can read what was typed fits nowhere.
    const narrow = await this.page.$$eval("main :is(input:not([type=checkbox], [type=radio], [type=color]), select, textarea)", (all) =>
      all.filter((e) => e.getBoundingClientRect().width > 2 && e.getBoundingClientRect().width < 64).map((e) => e.name || e.id),
    );
    if (narrow.length > 0) this.problems.push(`${this.path()} has fields too narrow to read: ${narrow.join(", ")}`);
  }

  // seesPage is what every page is held to. The same steps are walked in both
  // browsers, and axe looks at the document: it judges in Chromium, since Firefox
  // takes twice as long to say the same. What engines draw each in their own way,
  // widths, scripts and the console, both are held to.
  async seesPage() {
    await this.fits();
    if (this.engine === "chromium") await this.accessible();
    const raw = await this.text("body");
    const fault = raw.match(/\bundefined\b|\bnull\b|\bNaN\b|%!|\{\{|\bPegguna\b/);
    if (fault) this.problems.push(`${this.path()} shows "${fault}": ${raw.slice(Math.max(0, fault.index - 60), fault.index + 60)}`);
  }
}
