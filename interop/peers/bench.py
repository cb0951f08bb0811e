"""Measures signing and verifying of absah and of other programs, side by side in
one run, and prints tables in Markdown.

    bench.py ABSAH DIR

DIR gets the files. A peer that cannot be had here is named, with the reason. Whole
processes are told by GNU time: wall clock and processor in seconds, largest resident
set in MiB; of several runs the one with the least processor time counts, so that
other load on the machine matters little. Rates are of one core.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PEERS = ROOT / "interop" / "peers"
RUNS = 3
missing: list[str] = []


def run(*command, check=True, **more) -> subprocess.CompletedProcess:
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=check, **more)


def document(path: pathlib.Path, objects: int, padding: int) -> None:
    """A page, a stream of padding bytes, and as many small objects as are wanted."""
    places = []
    with open(path, "wb") as f:
        def add(body: bytes) -> None:
            places.append(f.tell())
            f.write(b"%d 0 obj\n%s\nendobj\n" % (len(places), body))

        f.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        add(b"<< /Type /Catalog /Pages 2 0 R >>")
        add(b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
        add(b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>")
        add(b"<< /Length %d >>\nstream\n%s\nendstream" % (padding, b"x" * padding))
        while len(places) < objects:
            add(b"<< /Type /StructElem /S /Span /P 2 0 R /Alt (%s) >>" % (b"kata " * 20))
        start = f.tell()
        f.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1))
        f.writelines(b"%010d 00000 n \n" % p for p in places)
        f.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, start))


def keys(d: pathlib.Path) -> None:
    def make(name: str, algorithm: list[str]) -> None:
        run("openssl", "genpkey", *algorithm, "-out", d / f"{name}.key")

    make("root", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
    run("openssl", "req", "-x509", "-key", d / "root.key", "-subj", "/CN=Akar Contoh", "-days", "30", "-out", d / "root.pem",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    (d / "ext").write_text("keyUsage=critical,digitalSignature,nonRepudiation\n")
    for name, algorithm in {"rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                            "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]}.items():
        make(name, algorithm)
        run("openssl", "req", "-new", "-key", d / f"{name}.key", "-subj", "/CN=Siti Contoh", "-out", d / "csr")
        run("openssl", "x509", "-req", "-in", d / "csr", "-CA", d / "root.pem", "-CAkey", d / "root.key", "-days", "20",
            "-extfile", d / "ext", "-out", d / f"{name}.pem")


def have(name: str, *command, cwd: pathlib.Path | None = None) -> bool:
    """Prepares a peer; notes why it cannot be had."""
    try:
        r = run(*command, check=False, cwd=cwd, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as e:
        missing.append(f"{name}: {e}")
        return False
    if r.returncode != 0:
        lines = (r.stderr or r.stdout).strip().splitlines()
        missing.append(f"{name}: {lines[-1].strip() if lines else 'cannot be had'}")
        return False
    return True


def peers(d: pathlib.Path) -> dict[str, list[str]]:
    """The commands that sign: each takes sign KEY CERT CHAIN IN N [OUT]."""
    found = {}
    if have("folio v0.11.0 (Go)", "go", "build", "-o", d / "folio", ".", cwd=PEERS / "folio"):
        found["folio v0.11.0 (Go)"] = [str(d / "folio")]
    venv = ROOT / "interop" / "venv-pyhanko"
    wanted = (ROOT / "interop" / "requirements-pyhanko.txt").read_text()
    if not (venv / "installed").exists() or (venv / "installed").read_text() != wanted:
        shutil.rmtree(venv, ignore_errors=True)
        if have("pyHanko 0.38 (Python)", sys.executable, "-m", "venv", venv) and have(
            "pyHanko 0.38 (Python)", venv / "bin" / "pip", "install", "-q", "-r", ROOT / "interop" / "requirements-pyhanko.txt"
        ):
            (venv / "installed").write_text(wanted)
    if (venv / "installed").exists():
        found["pyHanko 0.38 (Python)"] = [str(venv / "bin" / "python"), str(PEERS / "pyhanko_peer.py")]
    for name, place in {"PDFBox 3.0.6 + Bouncy Castle (Java)": "pdfbox", "iText 9.4.0 + Bouncy Castle (Java)": "itext"}.items():
        pom, target = PEERS / place / "pom.xml", PEERS / place / "target"
        if have(name, "mvn", "-q", "-B", "-f", pom, "package", "dependency:copy-dependencies", "-DoutputDirectory=target/lib"):
            found[name] = ["java", "-cp", f"{target}/classes:{target}/lib/*", "absah.interop.Peer"]
    for name, place in {"@libpdf/core 0.4.2 (JavaScript)": "libpdf", "@signpdf 3.3.0, plain (JavaScript)": "signpdf"}.items():
        if have(name, "npm", "ci", "--silent", "--no-fund", "--no-audit", cwd=PEERS / place):
            found[name] = ["node", str(PEERS / place / "peer.js")]
    # Known peers that other registries may have.
    for module in ("github.com/digitorus/pdfsign", "github.com/subnoto/pdfsign", "github.com/benedoc-inc/pdfer"):
        r = run("go", "list", "-m", f"{module}@latest", check=False, cwd=d, env={**os.environ, "GOFLAGS": "-mod=mod", "GOWORK": "off"})
        if r.returncode != 0:
            missing.append(f"{module}: {r.stderr.strip().splitlines()[-1].strip()}")
        else:
            missing.append(f"{module}: the module proxy has it now; nothing here drives it yet")
    return found


def measured(command: list, ok: tuple[int, ...] = (0,)) -> str:
    best = None
    for _ in range(RUNS):
        start = time.perf_counter()
        timed = ["/usr/bin/time", "-f", "%M", "--", *(str(c) for c in command)]
        p = subprocess.Popen(timed, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        stderr = p.stderr.read().strip().splitlines()
        _, status, usage = os.wait4(p.pid, 0)
        wall = time.perf_counter() - start
        p.returncode = os.waitstatus_to_exitcode(status)
        if p.returncode not in ok:
            return "fails: " + (stderr[-2] if len(stderr) > 1 else stderr[-1])[:60]
        processor = usage.ru_utime + usage.ru_stime
        if best is None or processor < best[1]:
            best = (wall, processor, int(stderr[-1]) / 1024)
    return "{:.3f} / {:.3f} / {:.0f}".format(*best)


def rate(command: list) -> str:
    best = 0.0
    for _ in range(2):
        r = run(*command, check=False)
        if r.returncode != 0:
            lines = r.stderr.strip().splitlines()
            return "fails: " + (lines[-1] if lines else "")[:60]
        best = max(best, float(r.stdout.strip().splitlines()[-1]))
    return f"{best:,.0f}"


def table(title: str, columns: list[str], rows: dict[str, list[str]]) -> None:
    print(f"\n{title}\n\n| | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    absah, d = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    files = {"30 KB": (20, 28 << 10), "63,000 objects, 11 MB": (63_000, 0), "100 MB": (600, 100 << 20)}
    for name, (objects, padding) in files.items():
        document(d / f"{name}.pdf", objects, padding)
    keys(d)
    (d / "go.mod").write_text("module bench\n")
    run("go", "build", "-o", d / "ours", "./interop/peers/ours", cwd=ROOT)
    others = peers(d)

    def sign(name: str, key: str) -> list:
        return ["--key", d / f"{key}.key", "--cert", d / f"{key}.pem", "--chain", d / "root.pem", d / f"{name}.pdf", d / f"{name}.absah.pdf"]

    rows = {"absah": [measured([absah, "sign", *sign(f, "rsa")]) for f in files]}
    for peer, command in others.items():
        rows[peer] = [measured([*command, "sign", d / "rsa.key", d / "rsa.pem", d / "root.pem", d / f"{f}.pdf", "1", d / "out.pdf"]) for f in files]
    rows["floor: cp"] = [measured(["cp", d / f"{f}.pdf", d / "copy.pdf"]) for f in files]
    rows["floor: openssl dgst"] = [measured(["openssl", "dgst", "-sha256", d / f"{f}.pdf"]) for f in files]
    table("Sign, whole process, RSA-2048: wall s / processor s / MiB", list(files), rows)

    rows = {"absah": [measured([absah, "verify", "--trust", d / "root.pem", d / f"{f}.absah.pdf"]) for f in files]}
    for name, command, ok in (("mutool", ["mutool", "sign", "-v"], (0, 1)), ("pdfsig", ["pdfsig", "-nocert"], (0, 1))):
        if shutil.which(name):
            rows[f"{name} (no path, no changes)"] = [measured([*command, d / f"{f}.absah.pdf"], ok) for f in files]
        else:
            missing.append(f"{name}: not installed")
    python = others.get("pyHanko 0.38 (Python)")
    if python:
        rows["pyHanko"] = [measured([*python, "verify", d / "root.pem", d / f"{f}.absah.pdf", "1"]) for f in files]
    table("Verify, whole process: wall s / processor s / MiB", list(files), rows)

    small = d / "30 KB.pdf"
    rows = {"absah": [rate([d / "ours", "sign", d / f"{k}.key", d / f"{k}.pem", d / "root.pem", small, n]) for k, n in (("p256", 20_000), ("rsa", 2_000))]}
    for peer, command in others.items():
        n = 20 if "Python" in peer or "@signpdf" in peer else 300
        rows[peer] = [rate([*command, "sign", d / f"{k}.key", d / f"{k}.pem", d / "root.pem", small, n]) for k in ("p256", "rsa")]
    table("Signatures a second in process, 30 KB", ["P-256", "RSA-2048"], rows)

    run(absah, "sign", *sign("30 KB", "p256"))
    signed = d / "30 KB.absah.pdf"
    rows = {"absah, with path and changes": [rate([d / "ours", "verify", d / "root.pem", signed, 20_000])]}
    if "folio v0.11.0 (Go)" in others:
        rows["folio"] = [rate([d / "folio", "verify", d / "root.pem", signed, 2_000])]
    if python:
        rows["pyHanko"] = [rate([*python, "verify", d / "root.pem", signed, 20])]
    table("Verifications a second in process, 30 KB, P-256", ["a second"], rows)

    if missing:
        print("\nNot to be had here:\n")
        for m in missing:
            print(f"- {m}")


main()
