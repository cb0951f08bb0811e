// Every page, in both languages and at the width of a phone: nothing wider
// than the window, no violation of axe's rules, no fault in the text.
import assert from "node:assert/strict";
import { journey } from "../lib/journey.mjs";
import { groups, visit } from "../lib/pages.mjs";
import { Visitor } from "../lib/visitor.mjs";

journey("every page", {}, (at, step) => {
  const problems = [];
  let turn = 0;
  for (const group of groups) {
    step(`as ${group.who}`, async () => {
      const { server, browser } = at;
      const person = group.who === "anyone" ? undefined : server.person(group.who, group.nth);
      const v = await Visitor.at(browser, server);
      if (person && !group.out) await v.signIn(person);
      else await v.goto("/masuk");
      // The document is the same in both browsers: one sees the first half of the pages in
      // one of two ways and the rest in the other way, the other browser the other way round.
      // Chromium judges every page by axe's rules, Firefox, which takes twice the time for it,
      // those of the journeys.
      const half = Math.ceil(group.pages.length / 2);
      const ways = [{ lang: "id", width: 1280 }, { lang: "en", width: 360 }];
      if ((at.name === "chromium") === (turn++ % 2 === 0)) ways.reverse();
      for (const [n, page] of group.pages.entries()) {
        const { lang, width } = ways[n < half ? 0 : 1];
        try {
          if (n === 0 || n === half) {
            // While the window is wide: in a narrow one the tools are in the menu.
            await v.page.setViewport({ width: 1280, height: 800 });
            await v.language(lang);
            await v.page.setViewport({ width, height: 800 });
          }
          await visit(v, page, person);
          if (page.name !== "tidak-ditemukan") assert.ok(!/ditemukan|not found/i.test(await v.page.title()), `${page.name} was not found`);
          await v.seesPage({ axe: at.name === "chromium" });
        } catch (e) {
          problems.push(`${page.name} (${lang}): ${e.message.slice(0, 400)}`);
        }
      }
      problems.push(...v.problems.splice(0));
      await v.close();
    });
  }
  step("none has a fault", () => assert.equal([...new Set(problems)].join("\n"), ""));
});
