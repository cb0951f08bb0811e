// A journey is a row of steps with one server, and with windows of its own in a
// browser that all journeys of a run share; after a step that failed the others are
// not walked.
import { after, before, describe, test } from "node:test";
import { borrow, browsers, closeAll, giveBack } from "./browser.mjs";
import { start } from "./server.mjs";

after(closeAll);

// told is what is to be known of a step that failed, in lines that scripts/failures
// finds in the log: why, and what each window showed.
async function told(e, step, visitors) {
  const lines = [step, ...String(e?.message ?? e).split("\n").slice(0, 12), ...String(e?.stack ?? "").split("\n").filter((l) => /^\s+at .*\/(lib|tests)\//.test(l)).slice(0, 4)];
  for (const v of visitors) for (const line of await v.shows()) lines.push(`  ${line}`);
  return lines.map((line) => line.slice(0, 800));
}

// journey describes one in every browser, or in those that only names; env is the
// server's configuration; without a frame, Chromium's pages are looked at in the one that
// has none (browser.mjs). walk gets { server, browser, name }
// filled before the first step, and a function that adds a step.
export function journey(title, { env, only = browsers, frame = false } = {}, walk) {
  for (const name of browsers.filter((b) => only.includes(b))) {
    describe(`${title}, in ${name}`, { concurrency: false }, () => {
      const at = { name };
      let broken;
      before(async () => {
        at.server = await start(env);
        at.browser = await borrow(name, frame);
      });
      after(async () => {
        await giveBack(at.browser);
        await at.server?.stop();
      });
      walk(at, (what, act) =>
        test(what, async (t) => {
          if (broken) return t.skip(`after "${broken}"`);
          broken = what;
          try {
            await act();
          } catch (e) {
            for (const line of at.server.log().split("\n")) if (/level=ERROR|panic/.test(line)) t.diagnostic(line);
            for (const line of await told(e, `${title}, in ${name}: ${what}`, at.server.visitors)) t.diagnostic(`failed| ${line}`);
            throw e;
          }
          broken = undefined;
        }),
      );
    });
  }
}
