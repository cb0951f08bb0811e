// Every page, in both languages and at the width of a phone: nothing wider
// than the window, no violation of axe's rules, no fault in the text. Chromium sees
// all of them; Firefox those on which scripts do more than in every form, and what
// the journeys lead it to.
import assert from "node:assert/strict";
import { journey } from "../lib/journey.mjs";
import { groups, visit } from "../lib/pages.mjs";
import { Visitor } from "../lib/visitor.mjs";

// What scripts look for, beyond forms and what renews itself: the journeys do those in
// both browsers.
const scripted = "[data-sheet], [data-rev], [data-crop], [data-viewer], [data-scroll-end], [data-passkey], [data-keys], [data-approval], [data-meter], .meter-bar";

journey("every page", {}, (at, step) => {
  const problems = [];
  let turn = 0;
  for (const all of groups) {
    const group = at.name === "chromium" ? all : { ...all, pages: all.pages.filter((p) => p.scripted) };
    if (group.pages.length === 0) continue;
    step(`as ${group.who}`, async () => {
      const { server, browser } = at;
      const person = group.who === "anyone" ? undefined : server.person(group.who, group.nth);
      const v = await Visitor.at(browser, server);
      if (person && !group.out) await v.signIn(person);
      else await v.goto("/masuk");
      // The document is the same in both browsers: one sees the first half of the pages in
      // one of two ways and the rest in the other way, the other browser the other way round.
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
          await v.seesPage();
          assert.equal(await v.has(scripted), page.scripted ?? false, "lib/pages.mjs says otherwise whether scripts do more here");
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
