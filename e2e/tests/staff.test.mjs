// The HRIS side: data and scans with the HR unit's decision, import of many
// people, accounts with their sessions.
import assert from "node:assert/strict";
import * as files from "../lib/files.mjs";
import { journey } from "../lib/journey.mjs";
import * as steps from "../lib/steps.mjs";
import { code } from "../lib/totp.mjs";
import { Visitor } from "../lib/visitor.mjs";

journey("an employee completes the data and the HR unit decides", {}, (at, step) => {
  let person, employee, hr, letters;
  const correction = async () => {
    await hr.goto("/hr/perubahan");
    await hr.follow(async () => hr.press(await hr.find('main a[href^="/hr/perubahan/"]', person.name)));
    const take = await hr.page.$('form:is([action$="/ambil"], [action*="/ambil?"]) button');
    if (take) await hr.follow(() => hr.press(take));
  };
  const fields = () => hr.page.$$eval('form:is([action$="/putusan"], [action*="/putusan?"]) input[type=radio][value=accept]', (all) => all.map((e) => e.name));
  const decide = async () => hr.follow(async () => hr.press(await hr.find('form:is([action$="/putusan"], [action*="/putusan?"]) button:not([type=button])')));

  step("nothing is there, and registering is not possible yet", async () => {
    const { server, browser } = at;
    person = server.person("Data belum diisi");
    [employee, hr, letters] = await Promise.all([0, 1, 2].map(() => Visitor.at(browser, server)));
    await employee.signIn(person);
    await hr.signIn(server.person("UPK"));
    await employee.goto("/ds");
    await employee.sees("Belum ada");
    assert.ok(await employee.page.$eval("main", (e) => [...e.querySelectorAll("button")].some((b) => b.innerText.includes("Registrasi DS") && b.disabled)));
    await employee.goto("/ds/registrasi");
    assert.ok(!(await employee.has('main form[action="/ds/registrasi"]')), "a registration can be sent without data");
  });

  step("what is typed wrong is told at the field, and kept", async () => {
    await employee.goto("/ds/lengkapi");
    await employee.fill("nik", "12345");
    await employee.fill("email", steps.address(person));
    await employee.submit("/ds/lengkapi");
    assert.ok(await employee.has(".errors"), "a NIK of five digits was taken");
    assert.equal(await employee.page.$eval("[name=nik]", (e) => e.value), "12345");
    assert.equal(await employee.page.$eval("[name=email]", (e) => e.value), steps.address(person));
    await employee.seesPage();
    await employee.fill("nik", "3171014108900001");
    await employee.fill("birth_place", "Kota Peraga");
    await employee.submit("/ds/lengkapi");
    await employee.sees("telah diajukan kepada UPK/UPSDM");
  });

  step("a picture is turned and cropped by keyboard before it is sent", async () => {
    await employee.goto("/ds/lengkapi/ktp");
    await files.choose(employee, "ktp.png", "image/png", await files.picture(employee));
    await employee.page.waitForSelector("[data-crop]:not([hidden])");
    await employee.press(await employee.find('[data-crop-do="right"]'));
    await employee.page.focus('[data-crop-edge="left"]');
    for (let i = 0; i < 10; i++) await employee.page.keyboard.press("ArrowRight");
    await employee.seesPage();
    await files.send(employee, "/ds/lengkapi/ktp");
    await employee.sees("telah diunggah");
    await employee.seesPage();
    // 1200 by 760 upright is 760 by 1200; a tenth of the width went.
    await employee.goto("/ds/lengkapi/ktp");
    await employee.press(await employee.find("main details summary", "Lihat berkas saat ini"));
    await employee.sees("684 × 1.200 piksel");
    await employee.until("the picture that was sent", () => [...document.querySelectorAll("main details img")].some((e) => e.naturalHeight > e.naturalWidth));
  });

  step("what is no scan and what is too large is refused in words", async () => {
    await employee.goto("/ds/lengkapi/rekomendasi");
    await files.choose(employee, "surat.pdf", "application/pdf", [...Buffer.from("bukan PDF")]);
    await files.send(employee, "/ds/lengkapi/rekomendasi");
    assert.ok(await employee.has(".errors"), "a file that is no PDF was taken");
    await employee.seesPage();
    await employee.goto("/ds/lengkapi/rekomendasi");
    await employee.page.evaluate(() => {
      const t = new DataTransfer();
      t.items.add(new File([new Uint8Array(5_300_000)], "besar.pdf", { type: "application/pdf" }));
      const f = document.querySelector("input[type=file]");
      f.files = t.files;
      f.dispatchEvent(new Event("change", { bubbles: true }));
    });
    assert.match(await employee.text("[data-file-state]"), /paling besar 5 MB/);
  });

  step("a letter as PDF and a signature as JPEG follow", async () => {
    await employee.goto("/ds/lengkapi/rekomendasi");
    await files.choose(employee, "surat.pdf", "application/pdf", files.letter("SURAT REKOMENDASI CONTOH"));
    await files.send(employee, "/ds/lengkapi/rekomendasi");
    await employee.sees("telah diunggah");
    await employee.goto("/ds/lengkapi/ttd");
    await files.choose(employee, "ttd.jpg", "image/jpeg", await files.signature(employee, { type: "image/jpeg" }));
    await files.send(employee, "/ds/lengkapi/ttd");
    await employee.sees("telah diunggah");
    await employee.goto("/ds/perubahan");
    await employee.sees("belum diambil petugas");
    await employee.seesPage();
  });

  step("another unit's officer does not see it, and nobody decides on himself", async () => {
    const other = await Visitor.at(at.browser, at.server);
    await other.signIn(at.server.person("UPK/UPSDM (unit DJR)"));
    await other.goto("/hr/perubahan");
    await other.seesNot(person.name);
    await other.close();
    await hr.goto("/ds/lengkapi");
    await hr.fill("birth_place", "Kota Lain");
    await hr.submit("/ds/lengkapi");
    await hr.goto("/hr/perubahan");
    assert.ok(!(await hr.text("main")).includes(at.server.person("UPK").name), "an HR officer is offered his own change");
  });

  step("a refusal needs a reason; the rest takes effect", async () => {
    await correction();
    await hr.seesPage();
    const asked = await fields();
    assert.deepEqual([...asked].sort(), ["birth_place", "email", "id_card", "nik", "recommendation", "specimen"]);
    for (const f of asked) await hr.check(f, f === "id_card" ? "reject" : "accept");
    await decide();
    assert.ok(await hr.has(".errors"), "a refusal without a reason was taken");
    await hr.seesPage();
    const reasons = await hr.page.$$eval('select[name="id_card.reason"] option', (all) => all.map((o) => o.value).filter(Boolean));
    await hr.fill("id_card.reason", reasons[0]);
    await decide();
    await steps.mail(letters, person, "disetujui sebagian");
    await employee.goto("/ds");
    await employee.sees("Ditolak");
    await employee.seesPage();
  });

  step("the refused scan is sent again, accepted, and registering is possible", async () => {
    await employee.goto("/ds/lengkapi/ktp");
    await files.choose(employee, "ktp.jpg", "image/jpeg", await files.picture(employee, { type: "image/jpeg" }));
    await files.send(employee, "/ds/lengkapi/ktp");
    await correction();
    assert.deepEqual(await fields(), ["id_card"]);
    await hr.check("id_card", "accept");
    await decide();
    await steps.mail(letters, person, "Perubahan data Anda disetujui");
    await employee.goto("/ds");
    await employee.sees("Kelima data Anda telah valid");
    // Who looked is told to whom the scans belong.
    await employee.goto("/ds/akses");
    await employee.sees(at.server.person("UPK").name);
    await employee.seesPage();
    await employee.goto("/ds");
    await steps.register(employee);
    await employee.goto("/ds");
    assert.ok(!(await employee.has('main a[href="/ds/registrasi"]')), "registering is offered to who is registered");
    for (const v of [employee, hr, letters]) await v.close();
  });
});

journey("an administrator imports people and mends one", {}, (at, step) => {
  let admin;
  const header = "NIP;Nama;Kode unit;Jabatan;E-mail";
  const one = "199001012015012001;Contoh Pegawai Satu;SEK-TI;Analis;contoh.pegawai.satu@contoh.example";
  const two = "199102022016021002;Contoh Pegawai Dua;SEK-TI;Analis;contoh.pegawai.dua@contoh.example";
  const count = (nip) => at.server.sql(`select count(*) from employee where nip = '${nip}'`);
  const upload = async (rows, apply) => {
    await admin.goto("/admin/impor");
    await files.choose(admin, "pegawai.csv", "text/csv", [...Buffer.from(rows.join("\r\n") + "\r\n")]);
    await files.send(admin, "/admin/impor", apply ? "[name=apply]" : ":not([name=apply])");
  };

  step("one bad row is named with its line, and nothing is applied", async () => {
    admin = await Visitor.at(at.browser, at.server);
    await admin.signIn(at.server.person("Administrator"));
    await upload([header, one, "123;Nomor Salah;SEK-TI;Analis;x@contoh.example"], true);
    await admin.comes("Tidak ada yang diterapkan");
    await admin.seesPage();
    const rows = await admin.page.$$eval("main tbody tr", (all) => all.map((r) => r.innerText.replace(/\s+/g, " ")));
    assert.ok(rows.some((r) => /\b3\b/.test(r) && /Ditolak/i.test(r)), `no report of line 3:\n${rows.join("\n")}`);
    assert.equal(count("199001012015012001"), "0");
  });

  step("a dry run applies nothing, and can be applied", async () => {
    await upload([header, one, two], false);
    await admin.comes("Berkas ini bersih");
    assert.equal(count("199001012015012001"), "0");
    await admin.follow(async () => admin.press(await admin.find('main form:is([action$="/terapkan"], [action*="/terapkan?"]) button')));
    await admin.comes("Seluruh isi berkas telah diterapkan");
    await admin.seesPage();
    assert.equal(count("199001012015012001"), "1");
  });

  step("importing again updates by NIP", async () => {
    await upload([header, one.replace("Analis", "Analis Muda"), two], true);
    await admin.comes("Seluruh isi berkas telah diterapkan");
    assert.equal(at.server.sql("select position from employee where nip = '199001012015012001'"), "Analis Muda");
    assert.equal(count("199001012015012001"), "1");
  });

  step("one person is found, changed and deactivated", async () => {
    await admin.goto("/admin/pegawai");
    await admin.fill("q", "Contoh Pegawai Dua");
    await admin.submit("/admin/pegawai");
    await admin.follow(async () => admin.press(await admin.find("main tbody a", "Contoh Pegawai Dua")));
    await admin.fill("position", "Arsiparis");
    const path = admin.path();
    await admin.submit(path);
    await admin.sees("telah disimpan");
    assert.equal(at.server.sql("select position from employee where nip = '199102022016021002'"), "Arsiparis");
    await admin.goto(path);
    await admin.submit(`${path}/status`);
    await admin.sees("dinonaktifkan");
    await admin.seesPage();
  });

  step("a unit is added below another", async () => {
    await admin.goto("/admin/unit");
    await admin.page.select("[name=parent_code]", "SEK-TI");
    await admin.fill("unit_code", "SEK-TI-1");
    await admin.fill("unit_name", "Bidang Peraga");
    await admin.submit("/admin/unit");
    await admin.sees("Bidang Peraga");
    await admin.seesPage();
    await admin.close();
  });
});

journey("an account is made, used on two devices and closed", {}, (at, step) => {
  const outside = { name: "Luar Contoh Auditor", nip: "audit.luar" };
  const password = "perahu kertas menyeberang";
  let admin, letters, auditor, path, secret;

  step("an administrator invites somebody who is no employee", async () => {
    const { server, browser } = at;
    [admin, letters, auditor] = await Promise.all([0, 1, 2].map(() => Visitor.at(browser, server)));
    await admin.signIn(server.person("Administrator"));
    await admin.goto("/admin/akun/baru");
    await admin.fill("username", outside.nip);
    await admin.fill("name", outside.name);
    await admin.fill("email", steps.address(outside));
    await admin.submit("/admin/akun/baru");
    await admin.sees("Akun dibuat");
    await admin.seesPage();
    path = admin.path();
    await admin.fill("role", "auditor");
    await admin.fill("unit", "*");
    await admin.submit(`${path}/peran`);
    await admin.sees("Peran diberikan");
    await admin.submit(`${path}/tautan`);
    await admin.sees("Tautan dikirim");
  });

  step("the invited one sets a password and a second factor", async () => {
    const m = await steps.mail(letters, outside, "Undangan mengaktifkan akun");
    const link = m.text.match(/\/aktivasi\/[A-Za-z0-9_-]+/)[0];
    await auditor.goto(link);
    await auditor.seesPage();
    await auditor.fill("password", password);
    await auditor.follow(async () => auditor.press(await auditor.find("main form button:not([type=button])")));
    await auditor.sees("Silakan masuk");
    await auditor.signIn(outside, { password, to: "/audit" });
    assert.notEqual(auditor.path(), "/audit", "an auditor without a second factor came in");
    await auditor.seesPage();
    await auditor.goto("/audit");
    assert.notEqual(auditor.path(), "/audit", "an auditor without a second factor came in");
    await auditor.goto("/akun/aplikasi");
    await auditor.seesPage();
    secret = (await auditor.page.$eval(".secret .code", (e) => e.textContent)).replace(/\s/g, "");
    await auditor.fill("code", code(secret));
    await auditor.submit("/akun/aplikasi");
    await auditor.seesPage();
    await auditor.goto("/audit");
    assert.equal(auditor.path(), "/audit");
    // The link worked once.
    await letters.goto(link);
    assert.ok(!(await letters.has("[name=password]")), "an activation link works twice");
    await letters.seesPage();
  });

  step("another device is seen and ended", async () => {
    const phone = await Visitor.at(at.browser, at.server, { width: 360, height: 740 });
    const person = at.server.person("siap registrasi");
    const desk = await Visitor.at(at.browser, at.server);
    await phone.signIn(person);
    await desk.signIn(person);
    await desk.goto("/akun");
    await desk.sees("Sesi ini");
    await desk.submit("/akun/sesi-lain/akhiri");
    await desk.sees("Semua sesi lain telah diakhiri");
    await desk.seesPage();
    await phone.goto("/akun");
    assert.equal(phone.path(), "/masuk");
    await phone.close();
    await desk.close();
  });

  step("an account that is closed is out at once", async () => {
    await admin.goto(path);
    await admin.submit(`${path}/nonaktif`);
    await admin.sees("Akun dinonaktifkan");
    await admin.seesPage();
    await auditor.goto("/audit");
    assert.equal(auditor.path(), "/masuk");
    await auditor.fill("username", outside.nip);
    await auditor.fill("password", password);
    await auditor.submit("/masuk");
    assert.equal(auditor.path(), "/masuk");
    for (const v of [admin, letters, auditor]) await v.close();
  });
});
