"""Applications of others call the running program: bin/absah with its demo.

    python clients.py PROGRAM DIRECTORY

The demo's people are made in DIRECTORY, applications are let in by `absah client`, and
the client in PHP (interop/php) walks through the interface of the eSign Client Service
with nothing but an address and a credential. What it got signed is judged by absah
verify, pdfsig (Poppler) and qpdf.
"""

import base64
import contextlib
import html
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).parent
PASSWORD, PASSPHRASE = "absah-demo-2026", "gunung biru di atas awan 7"

# What the guide of the demo calls people (internal/demo).
ISSUED, READY = "memiliki sertifikat", "siap registrasi"

APPLICATIONS = {
    "php-lama": ["--scope", "sign,verify,status,register,seal"],
    "php-sudut": ["--scope", "sign", "--corner"],
    "php-uji": ["--scope", "sign,verify,status", "--sandbox"],
}


def environment() -> dict:
    return {k: v for k, v in os.environ.items() if not k.startswith("ABSAH_")}


@contextlib.contextmanager
def served(program: str, data: pathlib.Path, port: int, log: pathlib.Path):
    with open(log, "ab") as out:
        start = out.tell()
        child = subprocess.Popen(
            [program, "serve", "--demo", "--data", str(data), "--addr", f"127.0.0.1:{port}"], stdout=out, stderr=out, env=environment()
        )
    try:
        for _ in range(6000):
            if b"/kotak-surat" in log.read_bytes()[start:]:
                break
            if child.poll() is not None:
                raise SystemExit(f"clients: {program} ended with {child.returncode}\n{log.read_text()[start:]}")
            time.sleep(0.1)
        yield f"http://localhost:{port}"
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait()


def lists(url: str, directory: pathlib.Path) -> list[pathlib.Path]:
    """Waits for the authority's first lists, without which nobody can judge, and keeps them.

    The first start makes people and ends; the second publishes what the first had no
    time for.
    """
    kept = []
    for name in ("ca-root", "ca-issuing"):
        kept.append(directory / f"{name}.crl")
        for left in range(600, -1, -1):
            try:
                kept[-1].write_bytes(urllib.request.urlopen(f"{url}/pki/crl/{name}.crl").read())
                break
            except urllib.error.HTTPError:
                if not left:
                    raise SystemExit(f"clients: {name} publishes no list")
                time.sleep(0.1)
    return kept


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def client(program: str, data: pathlib.Path, *arguments: str) -> str:
    return subprocess.run([program, "client", "--data", str(data), *arguments], check=True, capture_output=True, text=True, env=environment()).stdout


def add(program: str, data: pathlib.Path, name: str, *arguments: str) -> str:
    """Lets an application in and returns its secret."""
    return re.search(r"^ *password +(\S+)$", client(program, data, "add", name, *arguments), re.M)[1]


def nik(nip: str) -> str:
    """The demo makes a NIK of the day of birth, the sex and the number that a NIP holds."""
    day = int(nip[6:8]) + (40 if nip[14] == "2" else 0)
    return f"3171{1 + int(nip[15:]) % 100 // 24:02d}{day:02d}{nip[4:6]}{nip[2:4]}0000"


def people(url: str) -> list[dict]:
    """Everybody whom the page of the demo names, with what it says of them."""
    request = urllib.request.Request(url + "/demo", headers={"Accept-Language": "id"})
    page = urllib.request.urlopen(request).read().decode()
    out = []
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.S):
        text = re.sub(r'<span class="cell-label".*?</span>', "", row, flags=re.S)
        cells = [" ".join(html.unescape(re.sub(r"<[^>]*>", " ", c)).split()) for c in re.split(r"</t[dh]>", text)]
        number = next((m[0] for c in cells if (m := re.search(r"\d{18}", c.replace(" ", "")))), None)
        if number:
            name = cells[0]
            out.append({"nip": number, "nik": nik(number), "name": name, "email": name.lower().replace(" ", ".") + "@contoh.example", "what": " ".join(cells[1:])})
    return out


def ask(url: str, secret: str, file: pathlib.Path) -> str:
    """What the running program says of a file."""
    body = json.dumps({"file": base64.b64encode(file.read_bytes()).decode()}).encode()
    credential = base64.b64encode(f"php-lama:{secret}".encode()).decode()
    request = urllib.request.Request(url + "/api/v2/verify/pdf", body, {"Authorization": "Basic " + credential, "Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))["conclusion"]


def judge(program: str, root: pathlib.Path, revocation: list[pathlib.Path], file: pathlib.Path, signatures: int, verdict: str) -> list[str]:
    """Says what is wrong with a signed file in the eyes of three programs."""
    wrong = []
    given = [a for one in revocation for a in ("--crl", str(one))]
    said = subprocess.run([program, "verify", "--json", "--trust", str(root), *given, str(file)], capture_output=True, text=True, env=environment())
    report = json.loads(said.stdout)
    made = [s for s in report["signatures"] if s["type"] == "signature"]
    if len(made) != signatures or not all(s["intact"] for s in made):
        wrong.append(f"absah verify finds {len(made)} signatures, intact: {[s['intact'] for s in made]}")
    # A specimen is nobody's.
    if report["verdict"] != {"valid": "valid", "specimen": "indeterminate"}[verdict]:
        wrong.append(f"absah verify: {report['verdict']} {[(s['verdict'], s.get('subIndication'), s.get('errors')) for s in made]}")
    sig = subprocess.run(["pdfsig", "-nocert", str(file)], capture_output=True, text=True)
    if sig.returncode != 0 or sig.stdout.count("Signature is Valid.") != signatures:
        wrong.append(f"pdfsig: {sig.stdout}{sig.stderr}")
    check = subprocess.run(["qpdf", "--check", str(file)], capture_output=True, text=True)
    if check.returncode != 0:
        wrong.append(f"qpdf: {check.stdout}{check.stderr}")
    return wrong


def main() -> int:
    program, directory = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2])
    data, port, log = directory / "data", free_port(), directory / "log"
    with served(program, data, port, log) as url:
        everybody = people(url)
    told = {"password": PASSWORD, "passphrase": PASSPHRASE, "clients": {n: add(program, data, n, *a) for n, a in APPLICATIONS.items()}}
    client(program, data, "oauth", "php-lama", "--window", "1h")
    issued = [p for p in everybody if ISSUED in p["what"]]
    # The demo gives its second seal to the third and fourth of them.
    told |= {"signer": issued[0], "forgetful": issued[4], "keepers": issued[2:4], "applicant": next(p for p in everybody if READY in p["what"])}
    with served(program, data, port, log) as url:
        lists(url, directory)
        told["url"] = url
        (directory / "service.json").write_text(json.dumps(told))
        root = urllib.request.urlopen(url + "/pki/ca/ca-root.crt").read()
        (directory / "root.pem").write_text(ssl.DER_cert_to_PEM_cert(root))
        failed = subprocess.run(["php", str(HERE / "php" / "run.php"), str(directory)]).returncode != 0
        files = [line.split("\t") for line in (directory / "signed").read_text().splitlines()]
        newest = lists(url, directory)
        for name, signatures, verdict in files:
            found = judge(program, directory / "root.pem", newest, directory / name, int(signatures), verdict)
            said = ask(url, told["clients"]["php-lama"], directory / name)
            if said != {"valid": "VALID", "specimen": "INDETERMINATE"}[verdict]:
                found.append(f"the service calls it {said}")
            for wrong in found:
                failed = True
                print(f"  {name}: {wrong}")
    print(f"  {len(files)} files were judged")
    for secret in [PASSPHRASE, "bukan frasa sandinya", *told["clients"].values()]:
        if secret in log.read_text():
            failed = True
            print("  the log holds a secret")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
