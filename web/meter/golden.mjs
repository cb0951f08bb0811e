// Writes what node makes of the passphrases in testdata/passphrases.json, for
// the test that compares the server's engine with it.
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { runInThisContext } from "node:vm";

const dir = new URL("../../internal/passphrase/", import.meta.url);
runInThisContext(await readFile(new URL("zxcvbn.bundle.js", dir), "utf8"));
const cases = JSON.parse(await readFile(new URL("testdata/passphrases.json", dir), "utf8"));
const golden = cases.map(({ text, own = [], note }) => ({ text, own, note, want: globalThis.absahEstimate(text, own, 2026) }));
const lines = golden.map((g) => JSON.stringify(g)).join(",\n");
await writeFile(new URL("testdata/golden.json", dir), `[\n${lines}\n]\n`);

// Against zxcvbn as published: ours must never be the kinder one.
const zxcvbn = createRequire(import.meta.url)("zxcvbn");
for (const { text, own, want } of golden) {
  const theirs = zxcvbn(Array.from(text.normalize("NFKC")).slice(0, 40).join(""), own);
  if (want.score > theirs.score) console.warn(`kinder than zxcvbn: ${text}: ${want.score} > ${theirs.score}`);
}
