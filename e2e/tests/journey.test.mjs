// The guide's journey, from "user belum terdaftar" to the downloaded
// certificate, with two officers and real mails.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { journey } from "../lib/journey.mjs";
import * as steps from "../lib/steps.mjs";
import { Visitor } from "../lib/visitor.mjs";

// Linters take localhost for no host name, so that the certificate names the
// authority's address by number.
const env = { ABSAH_CA_PKI_URL: "http://127.0.0.1:{port}" };

journey("from user belum terdaftar to the certificate", { env, frame: true }, (at, step) => {
  let person, employee, one, two, letters, path;

  step("four people come", async () => {
    const { server, browser } = at;
    person = server.person("siap registrasi");
    [employee, one, two, letters] = await Promise.all([0, 1, 2, 3].map(() => Visitor.at(browser, server)));
    await employee.signIn(person);
    await one.signIn(server.person("Petugas DS", 0));
    await two.signIn(server.person("Petugas DS", 1));
  });

  step("the profile shows what the guide's shows", async () => {
    await employee.goto("/");
    for (const label of ["NIP", "Nama", "Jabatan", "Unit Terakhir", "Gol / Pangkat", "Digital Signature", "Informasi Selengkapnya", "Status Digital Signature Anda"]) {
      await employee.sees(label);
    }
    await employee.sees(steps.sentences.unregistered);
    await employee.click("Informasi Selengkapnya");
    for (const label of ["Status Validitas Data Anda sebagai prasyarat Registrasi Digital Signature", "NIK", "E-mail", "File Scan KTP", "File Scan Rekomendasi", "File Scan TTD", "Lengkapi Sekarang"]) {
      await employee.sees(label);
    }
    await employee.seesPage();
  });

  step("Registrasi DS is sent once, however often it is pressed", async () => {
    await employee.click("Registrasi DS");
    await employee.seesPage();
    await employee.sees(person.name);
    // Two clicks before the answer comes, and the form again after going back.
    await employee.follow(() =>
      employee.page.evaluate(() => {
        const b = document.querySelector('main form[action="/ds/registrasi"] button:not([type=button])');
        b.click();
        b.click();
      }),
    );
    assert.equal(employee.path(), "/ds/registrasi/selesai");
    await employee.sees(steps.sentences.inProgress);
    await employee.seesPage();
    await employee.page.goBack({ waitUntil: "load" });
    await employee.goto("/ds/registrasi");
    if (await employee.has('main form[action="/ds/registrasi"]')) await employee.submit("/ds/registrasi");
    assert.equal(at.server.sql(`select count(*) from registration r join employee e on e.id = r.employee_id where e.nip = '${person.nip}'`), "1");
  });

  step("the first officer compares and verifies", async () => {
    await steps.openCase(one, person);
    await one.sees(person.name);
    await one.seesPage();
    await steps.check(one);
  });

  step("two mails come, with the guide's subjects and the link", async () => {
    const link = await steps.mail(letters, person, "Pendaftaran Sertifikat Digital");
    assert.match(link.subject, /^\[Absah\] Pendaftaran Sertifikat Digital$/);
    assert.match(link.text, /Pengguna Yth/i);
    path = steps.link(link.text);
    const info = await steps.mail(letters, person, "Login Information");
    assert.match(info.subject, /^\[Absah CA Demo\] Login Information$/);
    assert.ok(!/absah-demo-2026/.test(info.text + link.text), "a mail holds a password");
    await employee.goto("/ds");
    await employee.sees("On Set Passphrase");
    await employee.seesPage();
  });

  step("a weak passphrase is told in words, and refused by the server too", async () => {
    await letters.goto(path);
    await letters.seesPage();
    await letters.fill("passphrase", "rahasia12345");
    await letters.page.waitForSelector(".meter-bar[data-score]", { timeout: 60_000 });
    assert.match(await letters.text(".meter-score"), /\b[012] dari 4/);
    assert.notEqual(await letters.text(".meter-crack"), "");
    await letters.seesNot("undefined");
    await letters.submit(path);
    assert.equal(letters.path(), path);
    await letters.sees("Passphrase");
    await letters.seesPage();
  });

  step("the passphrase is set and the agreement accepted", async () => {
    await steps.setPassphrase(letters, path);
    await letters.sees("Perjanjian Pemilik Sertifikat Elektronik", "body");
    await letters.seesPage();
    // Nothing agreed, nothing accepted.
    await letters.page.evaluate(() => document.querySelector("main form").submit());
    await letters.page.waitForNavigation({ waitUntil: "load" }).catch(() => {});
    assert.equal(letters.path(), "/email/user/enroll/perjanjian");
    await steps.accept(letters);
    assert.equal(letters.path(), "/email/user/enroll/selesai");
    await letters.seesPage();
    const copy = await steps.mail(letters, person, "Salinan Perjanjian");
    assert.ok(await letters.has('a[href$="/lampiran/1"]'), `no PDF with ${copy.subject}`);
  });

  step("the first officer cannot approve, the second can", async () => {
    await one.goto(`/petugas?q=${person.nip}`);
    await one.follow(async () => one.press(await one.find('main a[href^="/petugas/"]', person.name)));
    assert.ok(!(await one.has("button[name=aksi][value=terima]")), "officer 1 is offered the second approval");
    const release = await one.page.$('form:is([action$="/lepas"], [action*="/lepas?"]) button');
    if (release) await one.follow(() => one.press(release));
    await steps.openCase(two, person);
    await two.seesPage();
    // The employee's page shows the end by itself, without being loaded again.
    await employee.goto("/ds");
    await steps.check(two);
    await employee.comes(steps.sentences.issued);
    await employee.goto("/");
    await employee.sees(steps.sentences.issued);
  });

  step("the certificate is announced and downloaded in every form", async () => {
    const m = await steps.mail(letters, person, "Certificate Issued");
    assert.equal(m.subject, "[Absah CA Demo] Certificate Issued");
    await employee.goto("/ds/sertifikat");
    await employee.seesPage();
    const hrefs = await employee.page.$$eval("main a[download]", (all) => all.map((a) => a.getAttribute("href")));
    const dir = process.env.ABSAH_E2E_ARTIFACTS ?? join(at.server.data, "downloads");
    mkdirSync(dir, { recursive: true });
    const files = {};
    for (const format of ["pem", "der", "chain", "p7b"]) {
      const href = hrefs.find((h) => h.endsWith("/" + format));
      assert.ok(href, `no download as ${format}`);
      const bytes = await employee.page.evaluate(async (h) => {
        const r = await fetch(h);
        return r.ok ? [...new Uint8Array(await r.arrayBuffer())] : [];
      }, href);
      assert.ok(bytes.length > 0, `${href} is empty`);
      files[format] = join(dir, `${at.name}.${format}`);
      writeFileSync(files[format], Buffer.from(bytes));
    }
    const openssl = (...args) => execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    // Relying parties find status and list where the certificate says.
    const printed = openssl("x509", "-in", files.pem, "-noout", "-text");
    const address = (what) => printed.match(new RegExp(`${what}[\\s\\S]*?URI:(\\S+)`))[1];
    const crl = Buffer.from(await (await fetch(address("CRL Distribution Points"))).arrayBuffer());
    writeFileSync(join(dir, `${at.name}.crl`), crl);
    openssl("crl", "-in", join(dir, `${at.name}.crl`), "-inform", "der", "-noout");
    const [, issuer] = readFileSync(files.chain, "utf8").split(/(?<=-----END CERTIFICATE-----\n)/);
    writeFileSync(join(dir, "issuer.crt"), issuer);
    const status = openssl("ocsp", "-issuer", join(dir, "issuer.crt"), "-cert", files.pem, "-url", address("OCSP"), "-CAfile", files.chain, "-no_nonce");
    assert.match(status, /: good/);
    const subject = openssl("x509", "-in", files.pem, "-noout", "-subject", "-nameopt", "utf8");
    assert.ok(subject.includes(person.name), subject);
    assert.ok(!/(?<!\d)\d{16}(?!\d)/.test(subject), "a NIK is in the certificate");
    assert.equal(openssl("x509", "-in", files.der, "-inform", "der", "-noout", "-fingerprint"), openssl("x509", "-in", files.pem, "-noout", "-fingerprint"));
    assert.match(openssl("pkcs7", "-in", files.p7b, "-inform", "der", "-print_certs", "-noout"), new RegExp(person.name));
    assert.match(openssl("verify", "-partial_chain", "-purpose", "any", "-trusted", files.chain, files.pem), /OK/);
  });

  step("the history tells every step", async () => {
    await employee.goto("/ds/riwayat");
    await employee.seesPage();
    await employee.page.$$eval("main details", (all) => all.forEach((d) => (d.open = true)));
    for (const step of ["Registrasi diajukan", "Pemeriksaan pertama disetujui", "Passphrase dibuat", "Perjanjian disetujui", "Verifikasi ulang disetujui", "Sertifikat Elektronik diterbitkan"]) {
      await employee.sees(step);
    }
  });

  step("nothing went wrong in the browser or the program", async () => {
    for (const v of [employee, one, two, letters]) await v.close();
    const faults = at.server.log().split("\n").filter((l) => /level=ERROR|panic/.test(l));
    assert.deepEqual(faults, []);
    assert.ok(!at.server.log().includes(steps.newPassphrase), "the passphrase is in the log");
    assert.ok(!at.server.log().includes(path.split("/").pop()), "the link is in the log");
  });
});

journey("on a phone, by keyboard only", { frame: true }, (at, step) => {
  // tabTo moves the focus on with the Tab key until it is on what matches.
  const tabTo = async (v, selector, text) => {
    for (let i = 0; i < 120; i++) {
      await v.page.keyboard.press("Tab");
      const at = await v.page.evaluate(
        (s, t) => {
          const e = document.activeElement;
          if (!e || e === document.body) return false;
          const r = e.getBoundingClientRect();
          const ring = getComputedStyle(e);
          return {
            found: e.matches(s) && (!t || (e.innerText || e.value || "").includes(t)),
            shown: r.width > 0 && r.bottom > 0 && r.top < innerHeight && (ring.outlineStyle !== "none" || ring.boxShadow !== "none" || e.closest(":focus-within") !== null),
          };
        },
        selector,
        text,
      );
      if (at && at.found) {
        assert.ok(at.shown, `${selector} has the focus but does not show it`);
        return;
      }
    }
    assert.fail(`Tab never comes to ${selector} ${text ?? ""} on ${v.path()}`);
  };
  const enter = (v) => v.follow(() => v.page.keyboard.press("Enter"));

  step("login, registration and passphrase without a mouse at 360 px", async () => {
    const { server, browser } = at;
    const person = server.person("siap registrasi");
    const v = await Visitor.at(browser, server, { width: 360, height: 740 });
    await v.goto("/masuk");
    await v.page.keyboard.press("Tab");
    assert.equal(await v.page.evaluate(() => document.activeElement.getAttribute("href")), "#main", "the first stop is not the skip link");
    await tabTo(v, "[name=username]");
    await v.page.keyboard.type(person.nip);
    await tabTo(v, "[name=password]");
    await v.page.keyboard.type("absah-demo-2026");
    await enter(v);
    await v.goto("/ds");
    await v.fits();
    await tabTo(v, 'main a[href="/ds/registrasi"]');
    await enter(v);
    await tabTo(v, 'main form[action="/ds/registrasi"] button');
    await enter(v);
    assert.equal(v.path(), "/ds/registrasi/selesai");
    await v.fits();

    const officer = await Visitor.at(browser, server, { width: 360, height: 740 });
    await officer.signIn(server.person("Petugas DS"));
    await steps.openCase(officer, person);
    await officer.fits();
    await steps.check(officer);
    await officer.close();

    const path = steps.link((await steps.mail(v, person, "Pendaftaran Sertifikat Digital")).text);
    await v.goto(path);
    await v.fits();
    await tabTo(v, "[name=passphrase]");
    await v.page.keyboard.type(steps.newPassphrase);
    await tabTo(v, "[name=konfirmasi]");
    await v.page.keyboard.type(steps.newPassphrase);
    await enter(v);
    assert.equal(v.path(), "/email/user/enroll/perjanjian");
    await v.fits();
    // The texts are read with the keyboard: the focus is on them, End goes down.
    const boxes = await v.page.$$eval("form input[type=checkbox]", (all) => all.map((e) => e.name));
    for (const box of boxes) {
      await v.page.evaluate(() => document.activeElement.blur());
      await tabTo(v, "[data-scroll-reader], [role=region][tabindex='0'], input[type=checkbox]:not(:checked)");
      for (let i = 0; i < 3; i++) await v.page.keyboard.press("End");
      await v.page.waitForFunction((n) => !document.querySelector(`input[name="${n}"]`).disabled, { timeout: 10_000 }, box).catch(() => {});
      await v.page.$$eval("[role=region][tabindex='0']", (all) => all.forEach((e) => (e.scrollTop = e.scrollHeight)));
      await v.page.evaluate((n) => document.querySelector(`input[name="${n}"]`).focus(), box);
      await v.page.keyboard.press(" ");
    }
    await tabTo(v, "main form button:not([type=button])");
    await enter(v);
    assert.equal(v.path(), "/email/user/enroll/selesai");
    await v.fits();
    await v.close();
  });
});
