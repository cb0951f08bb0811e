// A journey is a row of steps with one server and one browser; after a step
// that failed the others are not walked.
import { after, before, describe, test } from "node:test";
import { browsers, open } from "./browser.mjs";
import { start } from "./server.mjs";

// journey describes one in every browser. walk gets { server, browser, name }
// filled before the first step, and a function that adds a step.
export function journey(title, { env } = {}, walk) {
  for (const name of browsers) {
    describe(`${title}, in ${name}`, { concurrency: false }, () => {
      const at = { name };
      let broken;
      before(async () => {
        at.server = await start(env);
        at.browser = await open(name);
      });
      after(async () => {
        await at.browser?.close();
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
