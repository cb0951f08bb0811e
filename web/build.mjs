// Builds the committed files in internal/portal/assets/dist. Their bytes depend
// on the sources and the pinned packages only; --check compares instead of writing.
import { build } from "esbuild";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = join(here, "../internal/portal/assets/dist");
const check = process.argv.includes("--check");

const bundled = async (entry, options) => {
  const result = await build({
    entryPoints: [join(here, "src", entry)],
    bundle: true,
    minify: true,
    write: false,
    legalComments: "none",
    target: ["chrome111", "firefox115", "safari16.4"],
    ...options,
  });
  return result.outputFiles[0].contents;
};

// One sprite: every page draws its icons with <use>.
const sprite = async () => {
  const names = JSON.parse(await readFile(join(here, "src/icons.json"), "utf8"));
  const symbols = await Promise.all(
    names.map(async (name) => {
      const svg = await readFile(join(here, "node_modules/bootstrap-icons/icons", `${name}.svg`), "utf8");
      const inner = svg.slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>")).replace(/\s*\n\s*/g, "");
      return `<symbol id="${name}" viewBox="0 0 16 16" fill="currentColor">${inner}</symbol>`;
    }),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`;
};

const licences = async () => {
  const read = (file) => readFile(join(here, "node_modules", file), "utf8");
  return [
    "Plus Jakarta Sans (fonts/jakarta.woff2), SIL Open Font License 1.1",
    (await read("@fontsource-variable/plus-jakarta-sans/LICENSE")).trim(),
    "Bootstrap Icons (icons.svg), MIT",
    (await read("bootstrap-icons/LICENSE")).trim(),
    "PDF.js (pdf.js, pdf.worker.js), Apache License 2.0, Copyright Mozilla Foundation",
    (await read("pdfjs-dist/LICENSE")).trim(),
  ].join("\n\n") + "\n";
};

// PDF.js comes built and minified. It is taken as it is, but for the address of
// its source map, which is not served.
const pdfjs = async (name) => {
  const text = await readFile(join(here, "node_modules/pdfjs-dist/legacy/build", name), "utf8");
  return Buffer.from(text.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n"));
};

const files = {
  "app.css": await bundled("app.css", { external: ["./fonts/*"] }),
  "app.js": await bundled("app.js", { format: "esm" }),
  "passkey.js": await bundled("passkey.js", { format: "esm" }),
  "document.js": await bundled("document.js", { format: "esm" }),
  "revisions.js": await bundled("revisions.js", { format: "esm" }),
  "pdf.js": await pdfjs("pdf.min.mjs"),
  "pdf.worker.js": await pdfjs("pdf.worker.min.mjs"),
  "icons.svg": Buffer.from(await sprite()),
  "favicon.svg": await readFile(join(here, "src/favicon.svg")),
  "fonts/jakarta.woff2": await readFile(
    join(here, "node_modules/@fontsource-variable/plus-jakarta-sans/files/plus-jakarta-sans-latin-wght-normal.woff2"),
  ),
  "LICENSES.txt": Buffer.from(await licences()),
};

let stale = 0;
for (const [name, bytes] of Object.entries(files)) {
  const path = join(out, name);
  if (check) {
    const now = await readFile(path).catch(() => null);
    if (now === null || Buffer.compare(now, Buffer.from(bytes)) !== 0) {
      console.error(`${name} is not what the sources give: run npm run build`);
      stale++;
    }
    continue;
  }
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  console.log(`${String(bytes.length).padStart(7)} ${name}`);
}
process.exit(stale > 0 ? 1 : 0);
