// What people do on the way to a certificate, each as one step of a journey.
import assert from "node:assert/strict";

export const sentences = {
  unregistered: "user belum terdaftar",
  inProgress: "user telah terdaftar dan masih dalam proses penerbitan sertifikat elektronik",
  issued: "user telah terdaftar dan memiliki sertifikat elektronik",
};

export const address = (person) => person.name.toLowerCase().replaceAll(" ", ".") + "@contoh.example";

// newPassphrase is one that nobody in the demo has.
export const newPassphrase = "kuda laut menari pelan 42 malam";

// mails lists the ids of the mails to a person whose subject contains subject, newest first.
export async function mails(v, person, subject) {
  await v.goto("/kotak-surat");
  return v.page.$$eval(
    "main tbody tr",
    (rows, to, want) =>
      rows
        .filter((r) => r.innerText.includes(to) && r.querySelector("a")?.innerText.includes(want))
        .map((r) => new URL(r.querySelector("a").href).pathname),
    address(person),
    subject,
  );
}

// mail waits for a mail that was not among known and returns its text.
export async function mail(v, person, subject, known = []) {
  const end = Date.now() + 120_000;
  for (;;) {
    const fresh = (await mails(v, person, subject)).filter((p) => !known.includes(p));
    if (fresh.length > 0) {
      await v.goto(fresh[0] + "?lihat=teks");
      return { path: fresh[0], subject: await v.text("h1"), text: await v.text("pre.mail-text") };
    }
    assert.ok(Date.now() < end, `no mail "${subject}" came to ${address(person)}`);
    await new Promise((r) => setTimeout(r, 500));
  }
}

// link takes the address of the passphrase page out of a mail.
export function link(text) {
  const m = text.match(/(\/email\/user\/enroll\/[0-9a-f]{32})(?![0-9a-f])/);
  assert.ok(m, `no link in the mail:\n${text}`);
  return m[1];
}

// register sends a registration as a signed-in employee whose data are valid.
export async function register(v) {
  await v.goto("/ds");
  await v.sees(sentences.unregistered);
  await v.click("Registrasi DS");
  assert.equal(v.path(), "/ds/registrasi");
  await v.submit("/ds/registrasi");
  assert.equal(v.path(), "/ds/registrasi/selesai");
  await v.sees(sentences.inProgress);
}

// openCase finds a registration in the queue as an officer and takes it.
export async function openCase(v, person) {
  await v.goto(`/petugas?q=${person.nip}`);
  const a = await v.find('main a[href^="/petugas/"]', person.name);
  await v.follow(() => v.press(a));
  const take = await v.page.$('form:is([action$="/ambil"], [action*="/ambil?"]) button');
  if (take) await v.follow(() => v.press(take));
}

// check decides as an officer who has the case open: everything accepted, but
// the fields in refused, each with the code of a reason.
export async function check(v, refused = {}) {
  const fields = await v.page.$$eval('form:is([action$="/periksa"], [action*="/periksa?"]) input[type=radio][value=accept]', (all) => all.map((e) => e.name));
  assert.ok(fields.length >= 10, `the page asks about ${fields.length} fields only`);
  for (const f of fields) {
    await v.check(f, f in refused ? "reject" : "accept");
    if (f in refused) await v.fill(`${f}.reason`, refused[f]);
  }
  const act = Object.keys(refused).length > 0 ? "kembalikan" : "terima";
  await v.follow(async () => v.press(await v.find(`button[name=aksi][value=${act}]`)));
}

// setPassphrase opens a link and sets a passphrase there, up to the agreement.
export async function setPassphrase(v, path, passphrase = newPassphrase) {
  assert.equal(await v.goto(path), 200);
  await v.fill("passphrase", passphrase);
  await v.fill("konfirmasi", passphrase);
  await v.submit(path);
  assert.equal(v.path(), "/email/user/enroll/perjanjian", await v.text());
}

// accept reads both texts to their ends and agrees.
export async function accept(v) {
  for (const name of await v.page.$$eval("form input[type=checkbox]", (all) => all.map((e) => e.name))) {
    // A text grows when its font comes, so that its end is gone to until it is the end.
    await v.until(
      `${name} after the texts were read to their ends`,
      (n) => {
        for (const e of document.querySelectorAll("[role=region][tabindex], .reader")) e.scrollTop = e.scrollHeight;
        return !document.querySelector(`input[name="${n}"]`).disabled;
      },
      name,
    );
    await v.check(name);
  }
  await v.submit(v.path());
}

// certify takes a person from a valid profile to the certificate.
// People: { employee, one, two, letters } are visitors, the first three signed in.
export async function certify(people, person) {
  const { employee, one, two, letters } = people;
  const known = await mails(letters, person, "Pendaftaran Sertifikat Digital");
  await register(employee);
  await openCase(one, person);
  await check(one);
  const m = await mail(letters, person, "Pendaftaran Sertifikat Digital", known);
  await setPassphrase(letters, link(m.text));
  await accept(letters);
  assert.equal(letters.path(), "/email/user/enroll/selesai");
  await openCase(two, person);
  await check(two);
  await employee.comes(sentences.issued, { path: "/ds" });
}
