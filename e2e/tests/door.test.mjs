// The door: who comes in, how, and what the pages of everybody look like.
import assert from "node:assert/strict";
import { journey } from "../lib/journey.mjs";
import { Visitor } from "../lib/visitor.mjs";

journey("the door", {}, (at, step) => {
  step("a wrong password and an unknown user look alike", async () => {
    const v = await Visitor.at(at.browser, at.server);
    const said = [];
    for (const user of [at.server.person("siap registrasi").nip, "000000000000000000"]) {
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

  step("an officer needs the second step", async () => {
    const v = await Visitor.at(at.browser, at.server);
    const officer = at.server.person("Petugas DS");
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

  step("signing out ends the session", async () => {
    const v = await Visitor.at(at.browser, at.server);
    await v.signIn(at.server.person("siap registrasi"));
    await v.goto("/akun");
    assert.equal(v.path(), "/akun");
    await v.signOut();
    await v.goto("/akun");
    assert.equal(v.path(), "/masuk");
    await v.close();
  });
});
