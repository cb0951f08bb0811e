// Every page of Absah once: for the tests that hold all pages to the same
// rules, and for the screenshots. A page is { name, path, ready } as seen by
// the visitor of its group; ready (optional) brings the page into the state to
// look at; scripted says that scripts do more there than in every form. path may be
// a function of the visitor, for pages with identifiers.
import * as files from "./files.mjs";
import * as steps from "./steps.mjs";
import { demo } from "./visitor.mjs";

// first follows the first link on a page whose address matches.
const first = (list, pattern) => async (v) => {
  await v.goto(list);
  const hrefs = await v.page.$$eval("main a[href]", (all) => all.map((a) => a.getAttribute("href")));
  const found = hrefs.find((h) => pattern.test(h));
  if (!found) throw new Error(`${list} has no link like ${pattern}: ${hrefs.join(" ")}`);
  return found;
};

// named follows the link of a list that says that.
const named = (list, text) => async (v) => {
  await v.goto(list);
  const found = await v.page.$$eval("main a[href]", (all, t) => all.find((a) => a.textContent.includes(t))?.getAttribute("href"), text);
  if (!found) throw new Error(`${list} has no link that says ${text}`);
  return found;
};

// claimed opens the first case of a queue and takes it.
const claimed = (list, pattern) => async (v) => {
  const path = await first(list, pattern)(v);
  await v.goto(path);
  const take = await v.page.$('main form:is([action$="/ambil"], [action*="/ambil?"]) button');
  if (take) await v.follow(() => v.press(take));
  return path;
};

const uuid = /^\/[a-z/-]+\/[a-z2-7]{26}$/;

// webhook finds the page of the demo's webhook.
const webhook = async (v) => first((await first("/admin/aplikasi", uuid)(v)) + "/webhook", /\/webhook\/[a-z2-7]{26}$/)(v);

export const groups = [
  {
    who: "anyone",
    pages: [
      { name: "masuk", scripted: true, path: "/masuk" },
      {
        name: "masuk-keliru", scripted: true,
        path: "/masuk",
        ready: async (v) => {
          await v.fill("username", "190000000000000000");
          await v.fill("password", "keliru");
          await v.submit("/masuk");
        },
      },
      {
        name: "masuk-dua-langkah",
        path: "/masuk",
        ready: async (v) => {
          await v.fill("username", v.server.person("Petugas DS").nip);
          await v.fill("password", demo.password);
          await v.submit("/masuk");
        },
      },
      { name: "lupa-sandi", path: "/lupa-sandi" },
      { name: "pengembang", path: "/pengembang" },
      { name: "periksa-dokumen", path: "/verifikasi" },
      {
        name: "periksa-hasil",
        path: "/verifikasi",
        ready: async (v) => {
          await files.choose(v, "surat.pdf", "application/pdf", [...Buffer.from(files.letter("Surat Contoh"))]);
          await files.send(v, "/verifikasi");
        },
      },
      { name: "dokumen-tidak-dikenal", path: "/verifikasi/d/" + "a".repeat(26) },
      { name: "demo", path: "/demo" },
      { name: "kotak-surat", path: "/kotak-surat" },
      { name: "kotak-surat-pesan", path: first("/kotak-surat", /^\/kotak-surat\/[^/]+$/) },
      { name: "tidak-ditemukan", path: "/tidak/ada" },
      { name: "tautan-tidak-dikenal", path: "/email/user/enroll/" + "0".repeat(32) },
    ],
  },
  {
    who: "tautan ada di kotak",
    out: true, // the mail is opened by somebody who is not signed in
    pages: [
      {
        name: "passphrase", scripted: true,
        path: async (v, person) => steps.link((await steps.mail(v, person, "Pendaftaran Sertifikat Digital")).text),
        ready: async (v) => {
          await v.fill("passphrase", "kuda laut menari pelan");
          await v.page.waitForSelector(".meter-bar[data-score]");
        },
      },
      {
        name: "perjanjian", scripted: true,
        path: async (v, person) => {
          if (!v.agreement) {
            await steps.setPassphrase(v, steps.link((await steps.mail(v, person, "Pendaftaran Sertifikat Digital")).text));
            v.agreement = true;
          }
          return "/email/user/enroll/perjanjian";
        },
      },
      {
        name: "passphrase-selesai",
        path: async (v) => {
          if (!v.accepted) {
            await v.goto("/email/user/enroll/perjanjian");
            await steps.accept(v);
            v.accepted = true;
          }
          return "/email/user/enroll/selesai";
        },
      },
      { name: "tautan-terpakai", path: async (v, person) => steps.link((await steps.mail(v, person, "Pendaftaran Sertifikat Digital")).text) },
    ],
  },
  {
    who: "siap registrasi",
    pages: [
      { name: "beranda", path: "/" },
      { name: "ds", path: "/ds" },
      { name: "registrasi", path: "/ds/registrasi" },
      { name: "lengkapi", path: "/ds/lengkapi" },
      { name: "lengkapi-ktp", scripted: true, path: "/ds/lengkapi/ktp" },
      {
        name: "lengkapi-potong", scripted: true,
        path: "/ds/lengkapi/ttd",
        ready: async (v) => {
          await files.choose(v, "ttd.png", "image/png", await files.signature(v));
          await v.page.waitForSelector("[data-crop]:not([hidden])");
        },
      },
      { name: "perubahan", path: "/ds/perubahan" },
      { name: "akses", path: "/ds/akses" },
      { name: "data-saya", path: "/data-saya" },
      { name: "akun", scripted: true, path: "/akun" },
      { name: "akun-sandi", path: "/akun/sandi" },
      { name: "akun-aplikasi", path: "/akun/aplikasi" },
    ],
  },
  { who: "Data belum diisi", pages: [{ name: "ds-belum-lengkap", path: "/ds" }, { name: "sertifikat-kosong", path: "/ds/sertifikat" }] },
  { who: "Dikembalikan", pages: [{ name: "ds-dikembalikan", path: "/ds" }] },
  {
    who: "New: menunggu",
    pages: [
      { name: "ds-menunggu", path: "/ds" },
      { name: "registrasi-selesai", path: "/ds/registrasi/selesai" },
      { name: "batal", path: "/ds/registrasi/batal" },
    ],
  },
  { who: "perjanjian belum", pages: [{ name: "ds-perjanjian", scripted: true, path: "/ds/perjanjian" }] },
  {
    who: "memiliki sertifikat",
    pages: [
      { name: "segel-aktivasi", path: first("/segel", /^\/segel\/aktivasi\//) },
      { name: "beranda-terbit", path: "/" },
      { name: "ds-terbit", path: "/ds" },
      { name: "sertifikat", path: "/ds/sertifikat" },
      { name: "riwayat", path: "/ds/riwayat" },
      { name: "reset-pin", path: "/ds/reset-pin" },
      { name: "ubah-pin", scripted: true, path: "/ds/ubah-pin" },
      { name: "cabut", path: "/ds/cabut" },
      { name: "tangguhkan", path: "/ds/tangguhkan" },
      { name: "atas-nama-saya", path: "/ds/atas-nama-saya" },
      { name: "templat", path: "/dokumen/templat" },
      { name: "templat-baru", path: "/dokumen/templat/baru" },
      {
        name: "massal-satu",
        path: "/dokumen/massal",
        ready: async (v) => {
          await v.fill("nama", "Surat tugas contoh");
          await v.submit("/dokumen/massal");
        },
      },
      { name: "dokumen-aplikasi", path: "/dokumen/aplikasi" },
      { name: "dokumen-aplikasi-buka", path: "/dokumen/aplikasi/buka" },
      { name: "dokumen-aplikasi-kode", path: "/dokumen/aplikasi/kode" },
    ],
  },
  {
    // Somebody who has worked with documents for some days.
    who: "memiliki sertifikat",
    nth: 2,
    pages: [
      { name: "dokumen", path: "/dokumen" },
      { name: "dokumen-riwayat", path: "/dokumen/riwayat" },
      { name: "dokumen-ditandatangani", scripted: true, path: named("/dokumen", "Undangan Rapat") },
      {
        name: "periksa-sah",
        path: "/verifikasi",
        ready: async (v) => {
          const signed = await v.page.evaluate(async () => {
            const list = new DOMParser().parseFromString(await (await fetch("/dokumen")).text(), "text/html");
            const letter = [...list.querySelectorAll('a[href^="/dokumen/berkas/"]')].find((a) => a.textContent.includes("Undangan Rapat"));
            return [...new Uint8Array(await (await fetch(letter.getAttribute("href") + "/unduh")).arrayBuffer())];
          });
          await files.choose(v, "undangan.pdf", "application/pdf", signed);
          await files.send(v, "/verifikasi");
        },
      },
      { name: "dokumen-alur", scripted: true, path: named("/dokumen", "Surat Tugas Pelatihan") },
      { name: "dokumen-ditolak", scripted: true, path: named("/dokumen", "Permohonan Data") },
      { name: "dokumen-giliran", scripted: true, path: named("/dokumen", "Usulan Kegiatan") },
      { name: "massal", path: "/dokumen/massal" },
      { name: "massal-selesai", path: named("/dokumen/massal", "Surat tugas pelatihan") },
      { name: "massal-keliru", path: named("/dokumen/massal", "Undangan rapat") },
      { name: "segel", path: "/segel" },
      { name: "segel-permintaan", path: first("/segel", /^\/segel\/permintaan\//) },
      { name: "data-saya-permintaan", path: "/data-saya" },
    ],
  },
  { who: "Sertifikat dicabut", pages: [{ name: "ds-dicabut", path: "/ds" }] },
  {
    who: "UPK",
    pages: [
      { name: "hr-antrean", path: "/hr/perubahan" },
      { name: "hr-perubahan", scripted: true, path: claimed("/hr/perubahan", uuid) },
      { name: "hr-wewenang", path: "/hr/wewenang" },
    ],
  },
  {
    who: "Petugas DS",
    pages: [
      { name: "petugas-antrean", path: "/petugas" },
      { name: "petugas-kasus", path: first("/petugas", uuid) },
      { name: "petugas-periksa", scripted: true, path: claimed("/petugas", uuid) },
      { name: "petugas-tolak", path: async (v) => (await claimed("/petugas", uuid)(v)) + "/tolak" },
      { name: "petugas-peristiwa", path: "/petugas/peristiwa" },
      { name: "petugas-pencabutan", path: "/petugas/pencabutan" },
      { name: "petugas-terbit", path: first("/petugas?status=Issue", uuid) },
      { name: "petugas-cabut", path: async (v) => (await first("/petugas?status=Issue", uuid)(v)) + "/cabut" },
    ],
  },
  {
    who: "Service Desk",
    pages: [
      { name: "servis-desk", path: "/servicedesk" },
      {
        name: "servis-desk-kasus",
        path: async (v, person, server) => first(`/servicedesk?q=${server.person("menunggu pemeriksaan pertama").nip}`, uuid)(v),
      },
    ],
  },
  {
    who: "Auditor",
    pages: [
      { name: "audit", path: "/audit" },
      { name: "audit-log", path: "/audit/log" },
      { name: "audit-log-baris", path: "/audit/log/1" },
      { name: "audit-cari", path: "/audit/registrasi" },
      {
        name: "audit-kasus",
        path: async (v, person, server) => first(`/audit/registrasi?q=${server.person("memiliki sertifikat").nip}`, /^\/audit\/registrasi\/[a-z2-7]{26}$/)(v),
      },
    ],
  },
  {
    who: "Administrator",
    pages: [
      { name: "admin-unit", path: "/admin/unit" },
      { name: "admin-unit-satu", path: first("/admin/unit", uuid) },
      { name: "admin-pegawai", path: "/admin/pegawai" },
      { name: "admin-pegawai-baru", path: "/admin/pegawai/baru" },
      { name: "admin-pegawai-satu", path: first("/admin/pegawai?q=contoh", uuid) },
      { name: "admin-impor", path: "/admin/impor" },
      {
        name: "admin-impor-hasil",
        path: "/admin/impor",
        ready: async (v) => {
          const rows = ["NIP;Nama;Kode unit", "199001012015012001;Contoh Pegawai Satu;SEK-TI", "123;Nomor Salah;SEK-TI", "199102022016021002;Contoh Pegawai Dua;TIDAK-ADA"];
          await files.choose(v, "pegawai.csv", "text/csv", [...Buffer.from(rows.join("\r\n"))]);
          await files.send(v, "/admin/impor", ":not([name=apply])");
          await v.page.waitForSelector("#kabar .table");
        },
      },
      { name: "admin-akun", path: "/admin/akun" },
      { name: "admin-akun-baru", path: "/admin/akun/baru" },
      { name: "admin-akun-satu", path: async (v, person, server) => first(`/admin/akun?q=${server.person("Petugas DS").nip}`, uuid)(v) },
      { name: "admin-aplikasi", path: "/admin/aplikasi" },
      { name: "admin-webhook", path: async (v) => (await first("/admin/aplikasi", uuid)(v)) + "/webhook" },
      { name: "admin-webhook-satu", path: webhook },
      { name: "admin-webhook-kiriman", path: async (v) => first(await webhook(v), /\/kiriman\/[a-z2-7]{26}$/)(v) },
      { name: "admin-segel", path: "/admin/segel" },
      { name: "admin-segel-satu", path: first("/admin/segel", uuid) },
      { name: "admin-insiden", path: "/admin/insiden" },
      {
        name: "admin-insiden-hasil",
        path: "/admin/insiden",
        ready: async (v) => {
          await v.page.select("#penerbit", "ca-issuing");
          await v.submit("/admin/insiden");
          await v.page.waitForSelector("#hasil");
        },
      },
      { name: "admin-insiden-satu", path: first("/admin/insiden", uuid) },
      { name: "admin-kebocoran", path: "/admin/kebocoran" },
      { name: "admin-kebocoran-satu", path: first("/admin/kebocoran", /^\/admin\/kebocoran\/BR-/) },
      { name: "admin-kepercayaan", path: "/admin/kepercayaan" },
      { name: "admin-log", path: "/admin/log" },
      { name: "admin-pemeriksaan", path: "/admin/pemeriksaan" },
      { name: "admin-privasi", path: "/admin/privasi" },
      { name: "admin-privasi-satu", path: first("/admin/privasi", uuid) },
      { name: "admin-surel", path: "/admin/surel?status=sent" },
      { name: "admin-surel-satu", path: first("/admin/surel?status=sent", uuid) },
    ],
  },
];

// open brings a visitor to a page.
export async function visit(v, page, person) {
  const path = typeof page.path === "function" ? await page.path(v, person, v.server) : page.path;
  await v.goto(path);
  if (page.ready) await page.ready(v);
}
