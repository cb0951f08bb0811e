// Lets @libpdf/core do what command ours does: sign KEY CERT CHAIN IN N [OUT].
import { webcrypto } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { CryptoKeySigner, PDF } from "@libpdf/core";

const der = async (name) => Buffer.from((await readFile(name, "utf8")).replace(/-----[^-]+-----|\s/g, ""), "base64");

const [mode, keyFile, certFile, chainFile, input, times, output] = process.argv.slice(2);
if (mode !== "sign") {
  throw new Error("@libpdf/core does not verify");
}
const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
const ec = { name: "ECDSA", namedCurve: "P-256" };
const raw = await der(keyFile);
let kind = ["RSA", "RSASSA-PKCS1-v1_5"];
const key = await webcrypto.subtle.importKey("pkcs8", raw, rsa, true, ["sign"]).catch(() => {
  kind = ["EC", "ECDSA"];
  return webcrypto.subtle.importKey("pkcs8", raw, ec, true, ["sign"]);
});
const signer = new CryptoKeySigner(key, new Uint8Array(await der(certFile)), kind[0], kind[1], [new Uint8Array(await der(chainFile))]);
const data = new Uint8Array(await readFile(input));
const sign = async () => (await (await PDF.load(data.slice())).sign({ signer })).bytes;
if (output) {
  await writeFile(output, await sign());
} else {
  const n = Number(times);
  for (let i = 0; i < n; i++) await sign(); // warm
  const start = performance.now();
  for (let i = 0; i < n; i++) await sign();
  console.log((n / ((performance.now() - start) / 1000)).toFixed(0));
}
