// Letters from a table: files and table are gathered, what is wrong is said with
// its line, all is sent at once and signed under one passphrase.
import * as files from "../lib/files.mjs";
import { journey } from "../lib/journey.mjs";
import { demo, Visitor } from "../lib/visitor.mjs";

journey("letters are sent and signed in bulk", {}, (at, step) => {
  let v, path;
  const gather = async (rows) => {
    await files.choose(v, "satu.pdf", "application/pdf", files.letter("Surat Satu"), "#dokumen");
    await files.choose(v, "tabel.csv", "text/csv", [...Buffer.from(["berkas;penanda_tangan;nomor", ...rows].join("\r\n"))], "#tabel");
    await files.send(v, `${path}/berkas`);
    await v.sees("berkas diterima", "body");
  };

  step("a row that is wrong is named with its line", async () => {
    const person = at.server.person("memiliki sertifikat");
    v = await Visitor.at(at.browser, at.server, { width: 360, height: 740 });
    await v.signIn(person);
    await v.goto("/dokumen/massal");
    await v.fill("nama", "Surat tugas contoh");
    await v.submit("/dokumen/massal");
    path = v.path();
    await gather([`satu;${person.nip};ST-1`, "dua;123;ST-2"]);
    await v.click("Periksa semua");
    await v.comes("1 dari 2 baris belum benar", { path });
    await v.sees("tidak ada pegawai aktif dengan NIP 123");
    await v.seesPage();
    await gather([`satu;${person.nip};ST-1`]);
    await v.click("Periksa semua");
    await v.comes("Kirim 1 surat", { path });
  });

  step("all is sent, and signed under one passphrase", async () => {
    await v.click("Kirim 1 surat");
    await v.comes("1 menunggu tanda tangan", { path });
    await v.seesPage();
    await v.click("Tanda tangani 1 dokumen");
    await v.sees("Sisa percobaan");
    await v.seesPage();
    await v.fill("passphrase", demo.passphrase);
    await v.submit(`${path}/tandatangan`);
    await v.comes("1 dokumen ditandatangani");
    await v.goto(path);
    await v.sees("1 dokumen selesai ditandatangani");
    await v.seesPage();
    await v.close();
  });
});
