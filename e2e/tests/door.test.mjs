// The door: who comes in, how, and what the pages of everybody look like.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { browsers, open } from "../lib/browser.mjs";
import { start } from "../lib/server.mjs";
import { Visitor } from "../lib/visitor.mjs";

for (const name of browsers) {
  describe(`the door in ${name}`, { concurrency: false }, () => {
    let server, browser;
    before(async () => {
      server = await start();
      browser = await open(name);
    });
    after(async () => {
      await browser?.close();
      await server?.stop();
    });

    test("a wrong password and an unknown user look alike", async () => {
      const v = await Visitor.at(browser, server);
      const said = [];
      for (const user of [server.person("siap registrasi").nip, "000000000000000000"]) {
        await v.goto("/masuk");
        await v.fill("username", user);
        await v.fill("password", "bukan kata sandi saya");
        await v.submit("/masuk");
        await v.seesPage();
        said.push((await v.text()).replaceAll(user, "USER"));
      }
      assert.equal(said[0], said[1]);
      await v.close();
    });

    test("an officer needs the second step", async () => {
      const v = await Visitor.at(browser, server);
      const officer = server.person("Petugas DS");
      await v.goto("/masuk");
      await v.fill("username", officer.nip);
      await v.fill("password", "absah-demo-2026");
      await v.submit("/masuk");
      assert.equal(v.path(), "/masuk/dua-langkah");
      await v.seesPage();
      await v.goto("/petugas");
      assert.notEqual(v.path(), "/petugas");
      await v.signIn(officer, { to: "/petugas" });
      assert.equal(v.path(), "/petugas");
      await v.close();
    });

    test("signing out ends the session", async () => {
      const v = await Visitor.at(browser, server);
      await v.signIn(server.person("siap registrasi"));
      await v.goto("/akun");
      assert.equal(v.path(), "/akun");
      await v.signOut();
      await v.goto("/akun");
      assert.equal(v.path(), "/masuk");
      await v.close();
    });
  });
}
