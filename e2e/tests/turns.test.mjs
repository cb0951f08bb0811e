// What does not go straight: returned and mended, links that are dead, Reset
// PIN, change of the passphrase, revocation, withdrawal.
import assert from "node:assert/strict";
import * as files from "../lib/files.mjs";
import { journey } from "../lib/journey.mjs";
import * as steps from "../lib/steps.mjs";
import { demo, Visitor } from "../lib/visitor.mjs";

const enrolSubject = "Pendaftaran Sertifikat Digital";

journey("a registration is returned, mended and sent again", {}, (at, step) => {
  let person, employee, one, two, hr, letters;

  step("people come", async () => {
    const { server, browser } = at;
    person = server.person("siap registrasi", 1);
    [employee, one, two, hr, letters] = await Promise.all([0, 1, 2, 3, 4].map(() => Visitor.at(browser, server)));
    await employee.signIn(person);
    await one.signIn(server.person("Petugas DS", 0));
    await two.signIn(server.person("Petugas DS", 1));
    await hr.signIn(server.person("UPK"));
  });

  step("the officer must give a reason for what is refused", async () => {
    await steps.register(employee);
    await steps.openCase(one, person);
    await one.check("id_card", "reject");
    await one.follow(async () => one.press(await one.find("button[name=aksi][value=kembalikan]")));
    await one.seesPage();
    assert.ok(await one.has(".errors"), "a refusal without a reason was taken");
    await steps.check(one, { id_card: "blurred" });
  });

  step("the applicant gets the reasons as a list of what to do", async () => {
    const m = await steps.mail(letters, person, "perlu diperbaiki");
    assert.match(m.text, /KTP/);
    await employee.goto("/ds");
    await employee.sees("Yang perlu diperbaiki");
    await employee.seesPage();
  });

  step("the scan is replaced, and the HR unit decides", async () => {
    await employee.goto("/ds/lengkapi/ktp");
    await employee.seesPage();
    await files.choose(employee, "ktp.png", "image/png", await files.picture(employee));
    await files.send(employee, "/ds/lengkapi/ktp");
    await employee.sees("telah diunggah");
    await employee.goto("/ds/perubahan");
    await employee.seesPage();
    await hr.goto("/hr/perubahan");
    await hr.seesPage();
    await hr.follow(async () => hr.press(await hr.find('main a[href^="/hr/perubahan/"]', person.name)));
    await hr.follow(async () => hr.press(await hr.find('form:is([action$="/ambil"], [action*="/ambil?"]) button')));
    await hr.seesPage();
    await hr.check("id_card", "accept");
    await hr.follow(async () => hr.press(await hr.find('form:is([action$="/putusan"], [action*="/putusan?"]) button:not([type=button])')));
    await steps.mail(letters, person, "Perubahan data Anda disetujui");
  });

  step("it is sent again and goes through", async () => {
    await employee.goto("/ds/registrasi");
    await employee.submit("/ds/registrasi");
    await employee.sees(steps.sentences.inProgress);
    await steps.openCase(one, person);
    await steps.check(one);
    const m = await steps.mail(letters, person, enrolSubject);
    await steps.setPassphrase(letters, steps.link(m.text));
    await steps.accept(letters);
    await steps.openCase(two, person);
    await steps.check(two);
    await employee.comes(steps.sentences.issued, { path: "/ds" });
    for (const v of [employee, one, two, hr, letters]) await v.close();
  });
});

journey("links that work no more say so and what to do", {}, (at, step) => {
  let person, employee, letters, first;
  const links = (set) =>
    at.server.sql(`update enrol_link set ${set} where registration_id in (select r.id from registration r join employee e on e.id = r.employee_id where e.nip = '${person.nip}')`);
  // Between two links an applicant waits ten minutes; let them have passed.
  const later = () => links("created_at = created_at - 3600000000");

  step("a scanner that opens the link uses nothing up", async () => {
    const { server, browser } = at;
    person = server.person("tautan ada di kotak");
    [employee, letters] = await Promise.all([0, 1].map(() => Visitor.at(browser, server)));
    await employee.signIn(person);
    first = steps.link((await steps.mail(letters, person, enrolSubject)).text);
    for (let i = 0; i < 5; i++) assert.equal((await fetch(server.base + first, { method: i % 2 ? "GET" : "HEAD" })).status, 200);
    await letters.goto(first);
    await letters.find("[name=passphrase]");
  });

  step("a newer link ends the one before", async () => {
    const known = await steps.mails(letters, person, enrolSubject);
    later();
    await employee.goto("/ds");
    await employee.submit("/ds/tautan");
    const second = steps.link((await steps.mail(letters, person, enrolSubject, known)).text);
    assert.notEqual(second, first);
    await letters.goto(first);
    await letters.sees("digantikan", "body");
    await letters.seesPage();
    // Asked at once again, the applicant is told when.
    await employee.goto("/ds");
    await employee.submit("/ds/tautan");
    await employee.sees("Tautan baru dapat diminta lagi pada", "body");
    first = second;
  });

  step("an expired link says when it ended", async () => {
    links(`expires_at = case when used_at = 0 and superseded_at = 0 then ${Date.now() * 1000 - 60_000_000} else expires_at end`);
    await letters.goto(first);
    await letters.sees("kedaluwarsa", "body");
    await letters.seesPage();
    later();
    const known = await steps.mails(letters, person, enrolSubject);
    await employee.goto("/ds");
    await employee.submit("/ds/tautan");
    first = steps.link((await steps.mail(letters, person, enrolSubject, known)).text);
  });

  step("a used link works once, and leads on", async () => {
    await steps.setPassphrase(letters, first);
    const other = await Visitor.at(at.browser, at.server);
    await other.goto(first);
    await other.sees("sudah digunakan", "body");
    assert.ok(!(await other.has("[name=passphrase]")));
    await other.seesPage();
    await other.close();
    // The agreement is also found after logging in, when the window was closed.
    await employee.goto("/ds/perjanjian");
    await employee.seesPage();
    await steps.accept(employee);
    await employee.goto("/ds");
    await employee.sees("Enroll");
  });

  step("an unknown link is told from a dead one", async () => {
    await letters.goto("/email/user/enroll/" + "0".repeat(32));
    await letters.sees("tidak dikenal", "body");
    await letters.seesPage();
  });

  step("a withdrawn registration ends its link", async () => {
    const other = at.server.person("tautan ada di kotak", 1);
    const v = await Visitor.at(at.browser, at.server);
    await v.signIn(other);
    const link = steps.link((await steps.mail(letters, other, enrolSubject)).text);
    await v.goto("/ds/registrasi/batal");
    await v.seesPage();
    await v.submit("/ds/registrasi/batal");
    await v.goto("/ds");
    await v.sees(steps.sentences.unregistered);
    await letters.goto(link);
    await letters.sees("tidak berlaku", "body");
    await v.close();
    for (const w of [employee, letters]) await w.close();
  });
});

journey("passphrase changed, reset and certificate revoked", {}, (at, step) => {
  let person, employee, one, two, letters;
  const serial = () => employee.page.$$eval("main a[download]", (all) => all[0]?.getAttribute("href").split("/")[3]);
  const ocsp = (s) => at.server.sql(`select revoked_at, revocation_reason from certificate where serial = '${s}'`);

  step("a person is certified", async () => {
    const { server, browser } = at;
    person = server.person("siap registrasi");
    [employee, one, two, letters] = await Promise.all([0, 1, 2, 3].map(() => Visitor.at(browser, server)));
    await employee.signIn(person);
    await one.signIn(server.person("Petugas DS", 0));
    await two.signIn(server.person("Petugas DS", 1));
    await steps.certify({ employee, one, two, letters }, person);
  });

  step("a wrong old passphrase is counted and told", async () => {
    await employee.goto("/ds/ubah-pin");
    await employee.seesPage();
    const before = await employee.text();
    const old = await employee.page.$eval("main form input[type=password]", (e) => e.name);
    await employee.fill(old, "bukan yang benar sama sekali");
    await employee.fill("passphrase", demo.passphrase);
    await employee.submit("/ds/ubah-pin");
    await employee.seesPage();
    assert.notEqual(await employee.text(), before);
    await employee.sees("4");
    await employee.fill(old, steps.newPassphrase);
    await employee.fill("passphrase", demo.passphrase);
    await employee.submit("/ds/ubah-pin");
    await steps.mail(letters, person, "telah diganti");
  });

  step("Reset PIN says what it does, and does it", async () => {
    await employee.goto("/ds/sertifikat");
    const old = await serial();
    const known = await steps.mails(letters, person, enrolSubject);
    await employee.goto("/ds");
    await employee.click("Reset PIN DS");
    assert.equal(employee.path(), "/ds/reset-pin");
    await employee.seesPage();
    await employee.check("paham");
    await employee.submit("/ds/reset-pin");
    assert.match(ocsp(old), /^[1-9]\d+\|4$/, "the old certificate is not revoked as superseded");
    const m = await steps.mail(letters, person, enrolSubject, known);
    await steps.setPassphrase(letters, steps.link(m.text));
    await steps.accept(letters);
    await steps.openCase(two, person);
    if (!(await two.has("button[name=aksi][value=terima]"))) {
      await steps.openCase(one, person);
      await steps.check(one);
    } else await steps.check(two);
    await employee.comes(steps.sentences.issued, { path: "/ds" });
    await employee.goto("/ds/sertifikat");
    assert.notEqual(await serial(), old);
    await employee.seesPage();
  });

  step("the subscriber revokes", async () => {
    const mine = await serial();
    await employee.goto("/ds/cabut");
    await employee.seesPage();
    await employee.check("alasan");
    await employee.check("paham");
    await employee.submit("/ds/cabut");
    assert.match(ocsp(mine), /^[1-9]\d+\|\d+$/);
    await employee.goto("/ds");
    await employee.sees("dicabut");
    await employee.seesPage();
    await steps.mail(letters, person, "telah dicabut");
  });

  step("two officers revoke another's certificate", async () => {
    const name = at.server.sql("select e.name || '|' || e.nip from registration r join employee e on e.id = r.employee_id where r.status = 'Issue' limit 1").split("|");
    await steps.openCase(one, { name: name[0], nip: name[1] });
    await one.click("", 'main a:is([href$="/cabut"], [href*="/cabut?"])');
    await one.seesPage();
    await one.check("alasan");
    await one.check("yakin");
    await one.follow(async () => one.press(await one.find('main form:is([action$="/cabut"], [action*="/cabut?"]) button:not([type=button])')));
    const stands = () =>
      at.server.sql(
        `select r.status || '|' || c.revocation_reason from registration r join employee e on e.id = r.employee_id join certificate c on c.registration_id = r.id where e.nip = '${name[1]}' order by r.submitted_at desc limit 1`,
      );
    assert.equal(stands(), "Issue|6", "the certificate is not suspended while the second officer decides");
    await steps.openCase(two, { name: name[0], nip: name[1] });
    await two.sees("meminta pencabutan");
    await two.seesPage();
    await two.follow(async () => two.press(await two.find('main form:is([action$="/cabut/putuskan"], [action*="/cabut/putuskan?"]) button:not([type=button])')));
    assert.match(stands(), /^Revoked\|[1-9]$/);
    for (const v of [employee, one, two, letters]) await v.close();
  });
});
