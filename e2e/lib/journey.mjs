// A journey is a row of steps with one server, and with windows of its own in a
// browser that all journeys of a run share; after a step that failed the others are
// not walked.
import { after, before, describe, test } from "node:test";
import { borrow, browsers, closeAll, giveBack } from "./browser.mjs";
import { start } from "./server.mjs";

after(closeAll);

// journey describes one in every browser, or in those that only names; env is the
// server's configuration. walk gets { server, browser, name }
// filled before the first step, and a function that adds a step.
export function journey(title, { env, only = browsers } = {}, walk) {
  for (const name of browsers.filter((b) => only.includes(b))) {
    describe(`${title}, in ${name}`, { concurrency: false }, () => {
      const at = { name };
      let broken;
      before(async () => {
        at.server = await start(env);
        at.browser = await borrow(name);
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
            throw e;
          }
          broken = undefined;
        }),
      );
    });
  }
}
