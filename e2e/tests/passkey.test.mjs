// An officer signs what he approves with a passkey that the ca role knows.
// Chromium alone has authenticators that a test can make.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { browsers, open } from "../lib/browser.mjs";
import { environment, program, start } from "../lib/server.mjs";
import { check, openCase } from "../lib/steps.mjs";
import { Visitor } from "../lib/visitor.mjs";

for (const name of browsers.filter((b) => b === "chromium")) {
  describe(`approval by passkey in ${name}`, { concurrency: false }, () => {
    let server, browser;
    before(async () => {
      // Passkeys belong to a name, not to an address.
      server = await start({ ABSAH_BASE_URL: "http://localhost:{port}", ABSAH_POLICY_APPROVAL: "passkey" });
      browser = await open(name);
    });
    after(async () => {
      await browser?.close();
      await server?.stop();
    });

    test("the officer's passkey signs the first check", async () => {
      const v = await Visitor.at(browser, server);
      const cdp = await v.page.createCDPSession();
      await cdp.send("WebAuthn.enable");
      await cdp.send("WebAuthn.addVirtualAuthenticator", {
        options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
      });
      await v.signIn(server.person("Petugas DS"), { to: "/petugas" });
      const person = server.person("menunggu pemeriksaan pertama");
      await openCase(v, person);
      await v.sees("Belum ada passkey Anda yang disahkan");
      assert.equal(await v.page.$('form[action$="/periksa"] button[value=terima]'), null, "an officer who cannot sign may approve");

      await v.goto("/akun");
      await v.fill("name", "Kunci uji");
      await Promise.all([v.page.waitForNavigation(), v.page.click("[data-passkey=create] button")]);
      await v.goto("/akun");
      const mark = (await v.text()).match(/[0-9a-f]{4}(-[0-9a-f]{4}){4}/)[0];
      const said = execFileSync(program, ["ca", "passkey", "pin", mark, "--data", server.data], { encoding: "utf8", env: environment({}) });
      assert.match(said, new RegExp(mark));

      await openCase(v, person);
      await v.sees("passkey Anda menandatangani");
      await check(v);
      await v.sees("Tautan berlaku sampai");
      await v.close();
    });
  });
}
