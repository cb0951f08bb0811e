// Takes a picture of every page at two widths, light and dark:
//   node screenshots.mjs [DIRECTORY [NAME...]]
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "./lib/browser.mjs";
import { groups, visit } from "./lib/pages.mjs";
import { start } from "./lib/server.mjs";
import { Visitor } from "./lib/visitor.mjs";

const dir = process.argv[2] ?? "../docs/screenshots";
const only = process.argv.slice(3);
mkdirSync(dir, { recursive: true });
const looks = [
  { width: 1280, height: 800, theme: "light" },
  { width: 1280, height: 800, theme: "dark" },
  { width: 360, height: 740, theme: "light" },
  { width: 360, height: 740, theme: "dark" },
];

const tallest = 2400; // px; lists go on below

const server = await start();
const browser = await open("chromium");
let failed = 0;
const taken = [];
for (const group of groups) {
  const pages = group.pages.filter((p) => only.length === 0 || only.includes(p.name));
  if (pages.length === 0) continue;
  const person = group.who === "anyone" ? undefined : server.person(group.who, group.nth);
  const v = await Visitor.at(browser, server);
  if (person && !group.out) await v.signIn(person);
  for (const page of pages) {
    for (const look of looks) {
      const file = join(dir, `${page.name}-${look.width}-${look.theme}.png`);
      try {
        await v.page.setViewport({ width: look.width, height: look.height });
        await v.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: look.theme }]);
        await visit(v, page, person);
        await v.page.evaluate(() => document.activeElement?.blur?.());
        await v.page.evaluate(() => document.fonts.ready);
        // What is loaded when it comes into sight comes now, and the head of the page is where it belongs.
        await v.page.evaluate(async () => {
          for (const i of document.images) i.loading = "eager";
          await Promise.all([...document.images].map((i) => i.decode().catch(() => {})));
          scrollTo(0, 0);
        });
        const height = await v.page.evaluate(() => document.documentElement.scrollHeight);
        await v.page.screenshot({ path: file, clip: { x: 0, y: 0, width: look.width, height: Math.min(height, tallest) } });
        taken.push(file);
      } catch (e) {
        failed++;
        console.error(`${page.name} ${look.width} ${look.theme}: ${e.message.slice(0, 300)}`);
      }
    }
  }
  await v.context.close();
}
await browser.close();
await server.stop();
for (let i = 0; i < taken.length; i += 20) {
  try {
    execFileSync("pngquant", ["--force", "--skip-if-larger", "--ext", ".png", "--speed", "4", "48", ...taken.slice(i, i + 20)]);
  } catch (e) {
    if (![98, 99].includes(e.status)) throw e;
  }
}
writeFileSync(
  join(dir, "README.md"),
  "# Pages\n\nMade by `make screenshots` from the demo; every page at 1280 and 360 px, light and dark.\n\n" +
    groups.map((g) => `## ${g.who === "anyone" ? "Siapa pun" : g.who}\n\n` + g.pages.map((p) => `- ${p.name}: [terang](${p.name}-1280-light.png), [gelap](${p.name}-1280-dark.png), [ponsel](${p.name}-360-light.png), [ponsel, gelap](${p.name}-360-dark.png)`).join("\n")).join("\n\n") +
    "\n",
);
console.log(`${taken.length} pictures in ${dir}, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
