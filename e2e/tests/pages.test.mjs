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
      for (const page of group.pages) {
        // The document is the same in both browsers: each sees every page in one of two
        // ways by turns, the other browser in the other way. Chromium judges every page
        // by axe's rules, Firefox, which takes twice the time for it, those of the journeys.
        const ways = [["id", 1280], ["en", 360]];
        const [lang, width] = ways[(turn++ + (at.name === "chromium" ? 0 : 1)) % 2];
        try {
          // Before the window gets narrow: while the menu slides out it covers the tools.
          if (lang === "en") await v.language(lang);
          await v.page.setViewport({ width, height: 800 });
          await visit(v, page, person);
          if (page.name !== "tidak-ditemukan") assert.ok(!/ditemukan|not found/i.test(await v.page.title()), `${page.name} was not found`);
          await v.seesPage({ axe: at.name === "chromium" });
        } catch (e) {
          problems.push(`${page.name} (${lang}): ${e.message.slice(0, 400)}`);
        }
        await v.page.setViewport({ width: 1280, height: 800 });
        if (lang === "en") await v.language("id").catch(() => {});
      }
      problems.push(...v.problems.splice(0));
      await v.close();
    });
  }
  step("none has a fault", () => assert.equal([...new Set(problems)].join("\n"), ""));
});
