// Starts the real program with its demo. The demo's people are made once a run
// and copied for every server, so that journeys do not see each other.
import { spawn, execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const program = process.env.ABSAH_BIN ?? join(root, "bin/absah");

const freePort = () =>
  new Promise((resolve, reject) => {
    const s = createServer();
    s.once("error", reject);
    s.listen(0, "127.0.0.1", () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });

// environment is ours without settings of Absah: a test must not depend on them.
export const environment = (extra) => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([k]) => !k.startsWith("ABSAH_"))),
  ...extra,
});

// launch starts it. Between the choice of a free port and its use another server may
// have taken it: then another one is chosen.
async function launch(data, env) {
  for (let i = 0; ; i++) {
    try {
      return await launchOnce(data, env);
    } catch (e) {
      if (i === 4 || !/address already in use/.test(e.message)) throw e;
    }
  }
}

// launchOnce starts it on a free port, which {port} stands for in the values of env.
async function launchOnce(data, env) {
  const port = await freePort();
  env = Object.fromEntries(Object.entries(env).map(([k, v]) => [k, v.replaceAll("{port}", port)]));
  const child = spawn(program, ["serve", "--demo", "--addr", `127.0.0.1:${port}`, "--data", data], {
    env: environment(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let log = "";
  child.stderr.on("data", (b) => (log += b));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await new Promise((resolve, reject) => {
    const give = setTimeout(() => reject(new Error(`absah did not start within 10 minutes\n${log}`)), 600_000);
    child.stdout.on("data", (b) => {
      out += b;
      if (out.includes("Absah is at ") && out.includes("/kotak-surat")) {
        clearTimeout(give);
        resolve();
      }
    });
    child.once("exit", (code) => {
      clearTimeout(give);
      reject(new Error(`absah ended with ${code}\n${log}`));
    });
  });
  const base = out.match(/Absah is at (\S+)/)[1];
  return {
    base,
    data,
    people: await read(base),
    log: () => log,
    pid: child.pid,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

// read lists the people of the demo from its page of everybody: nip, name, and
// what it says of them (their roles, or how far they had come).
async function read(base) {
  const page = await (await fetch(base + "/demo", { headers: { "Accept-Language": "id" } })).text();
  const people = [];
  for (const [, row] of page.matchAll(/<tr[^>]*>(.*?)<\/tr>/gs)) {
    const cells = row.split(/<\/t[dh]>/).map((c) => c.replace(/<span class="cell-label".*?<\/span>/gs, "").replace(/<[^>]*>/g, " ").replace(/\s+/g, " ").trim());
    const nip = cells.find((c) => /\d{18}/.test(c.replaceAll(" ", "")))?.replaceAll(" ", "").match(/\d{18}/)[0];
    if (nip) people.push({ nip, name: cells[0], what: cells.slice(1).join(" ") });
  }
  return people;
}

// template makes the demo's data directory once, also when several test files
// start at the same time: the one that makes the folder fills it.
async function template() {
  const home = process.env.ABSAH_E2E_TEMPLATE ?? join(tmpdir(), `absah-e2e-template-${process.ppid}`);
  const done = join(home, "done");
  const exists = (f) => stat(f).then(() => true, () => false);
  try {
    await mkdir(home);
  } catch (e) {
    if (e.code !== "EEXIST") throw e;
    for (let i = 0; i < 6600 && !(await exists(done)); i++) await new Promise((r) => setTimeout(r, 100));
    if (!(await exists(done))) throw new Error(`${home} was never finished; remove it`);
    return home;
  }
  const server = await launch(join(home, "data"), {});
  await server.stop();
  await writeFile(done, "");
  return home;
}

// start starts a server over a copy of the demo. env sets configuration.
export async function start(env = {}) {
  const from = await template();
  const dir = await mkdtemp(join(tmpdir(), "absah-e2e-"));
  await cp(join(from, "data"), dir, { recursive: true });
  const server = await launch(dir, env);
  server.visitors = new Set(); // whose windows are open
  const stop = server.stop;
  server.stop = async () => {
    await stop();
    await rm(dir, { recursive: true, force: true });
  };
  server.sql = (text) => execFileSync("sqlite3", ["-cmd", ".timeout 10000", join(dir, "absah.db"), text], { encoding: "utf8" }).trim();
  // person finds somebody of the demo by what the program says about them.
  server.person = (what, n = 0) => {
    const found = server.people.filter((p) => p.what.includes(what));
    if (!found[n]) throw new Error(`the demo has no person ${n} that is ${what}`);
    return found[n];
  };
  return server;
}
