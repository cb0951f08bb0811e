"""Signs PDF files with absah in every way and lists them for the judges.

    python sign.py ABSAH DIR

DIR is that of interop/authority: keys, certificates, CRLs, files to sign, and the
address of the timestamp authority. Writes DIR/signed/*.pdf and DIR/manifest,
which pyhanko_judge.py describes. Exit status 1 when absah does not sign a file.
"""

import json
import pathlib
import subprocess
import sys
import typing

LEVELS = ["B-B", "B-T", "B-LT", "B-LTA"]


class Signing:
    def __init__(self, absah: str, directory: str) -> None:
        self.absah = absah
        self.dir = pathlib.Path(directory)
        self.out = self.dir / "signed"
        self.out.mkdir(exist_ok=True)
        self.tsa = (self.dir / "url").read_text() + "/tsa"
        chain = (self.dir / "chain.pem").read_text() + (self.dir / "root.pem").read_text()
        (self.dir / "full.pem").write_text(chain)
        self.cases: list[dict] = []
        self.failed = 0

    def sign(self, source: pathlib.Path, name: str, level: str, key: str = "p256", flags: tuple[str, ...] = ()) -> pathlib.Path | None:
        """Signs one file, and lists it."""
        target = self.out / f"{name}.pdf"
        command = [self.absah, "sign", "--level", level]
        command += ["--key", self.dir / f"{key}.key", "--cert", self.dir / f"{key}.pem", "--chain", self.dir / "full.pem"]
        if level != "B-B":
            command += ["--tsa", self.tsa]
        run = subprocess.run([*command, *flags, source, target], capture_output=True, text=True, check=False)
        if run.returncode != 0:
            self.failed += 1
            print(f"  absah does not sign {source.name} as {name}: {run.stderr.strip()}")
            return None
        self.cases.append(
            {
                "file": str(target),
                "name": name,
                "ours": self.verify(target),
                "want": "valid",
                "level": level,
                "trust": str(self.dir / "root.pem"),
                "crls": [str(self.dir / "ca.crl"), str(self.dir / "root.crl")],
                "at": "",
            }
        )
        return target

    def verify(self, file: pathlib.Path) -> str:
        run = subprocess.run(
            [self.absah, "verify", "--json", "--trust", self.dir / "root.pem", file],
            capture_output=True,
            text=True,
            check=False,
        )
        return json.loads(run.stdout)["verdict"]

    def all(self) -> None:
        plain = self.dir / "plain-table.pdf"
        # Every level with every key.
        for key in ("p256", "p384", "p521", "rsa", "ed25519"):
            for level in LEVELS:
                self.sign(plain, f"{key}-{level}", level, key)
        # Every kind of file.
        for source in sorted(self.dir.glob("plain-*.pdf")):
            self.sign(source, f"{source.stem}-B-LTA", "B-LTA")
        # Certified, shown, with reasons.
        for p in ("1", "2", "3"):
            self.sign(plain, f"certified-{p}", "B-LT", flags=("--certify", p))
        self.sign(plain, "shown", "B-B", flags=("--visible", "1,20,20,160,60", "--reason", "Setuju", "--location", "Jakarta", "--qr", "CONTOH-1"))
        # One signature after another, and one that certifies first.
        first = self.sign(plain, "one-of-three", "B-T")
        second = first and self.sign(first, "two-of-three", "B-LT", "rsa")
        if second:
            self.sign(second, "three-of-three", "B-LTA", "p384", ("--visible", "1,20,100,160,60"))
        self.archival()
        certified = self.sign(plain, "certified-first", "B-B", flags=("--certify", "2"))
        if certified:
            self.sign(certified, "certified-and-signed", "B-LT", "rsa")

    def archival(self) -> None:
        """Signs files that claim PDF/A, and lists them for its judge: they must
        still be what they claim, as they were before."""
        looks = {
            "unseen": (),
            "text": ("--text", "Ditandatangani oleh\\nSiti Contoh – é", "--visible", "1,20,20,160,60"),
            "code": ("--qr", "https://absah.example/v/1", "--visible", "1,20,20,80,80"),
        }
        for picture in ("mark.png", "photo.jpg", "scan.jpg"):
            looks[picture[:-4]] = ("--image", str(self.dir / picture), "--visible", "1,20,20,80,80")
        looks["next"] = ("--add-field", "berikut=1,20,200,80,40", "--certify", "2")
        with open(self.dir / "archival", "w") as f:
            for flavour in ("1b", "2b", "3b", "4", "1a", "2a", "3a"):
                own = dict(looks)
                if flavour.endswith("a"):
                    own["filled"] = ("--field", "ttd", "--text", "Siti Contoh")
                    own["second"] = ("--text", "Siti Contoh", "--visible", "2,20,20,160,60")
                claims = [flavour] + ["ua1"] * (flavour in ("2a", "3a"))
                self.conforming(f, self.dir / f"archival-{flavour}.pdf", claims, own, LEVELS)
            # What Absah makes for people.
            for source in sorted((self.dir / "papers").glob("*.pdf")):
                self.conforming(f, source, ["2a", "ua1"], {k: looks[k] for k in ("unseen", "mark")}, ["B-B", "B-LTA"])

    def conforming(
        self, out: typing.TextIO, source: pathlib.Path, claims: list[str], looks: dict[str, tuple[str, ...]], levels: list[str]
    ) -> None:
        """Signs a file in each look, and once with a place for another signature,
        which is made there."""
        signed = [source]
        for level in levels:
            for look, flags in looks.items():
                if level == "B-B" or look in ("unseen", "text"):
                    signed.append(self.sign(source, f"{source.stem}-{look}-{level}", level, flags=flags))
        first = self.sign(source, f"{source.stem}-once", "B-B", flags=("--add-field", "kedua=1,20,20,160,60"))
        if first:
            signed.append(self.sign(first, f"{source.stem}-twice", "B-B", "rsa", ("--field", "kedua", "--text", "Siti Contoh")))
        for file in filter(None, signed):
            for claim in claims:
                print(claim, file, file=out)


def main() -> int:
    s = Signing(sys.argv[1], sys.argv[2])
    s.all()
    with open(s.dir / "manifest", "w") as f:
        for case in s.cases:
            # The level is asked of all signatures of a file: leave it out where
            # they differ.
            if case["name"] in ("two-of-three", "three-of-three", "certified-and-signed"):
                case["level"] = ""
            print(json.dumps(case), file=f)
            if case["ours"] == "invalid" or (case["ours"] != "valid" and case["level"] in ("B-LT", "B-LTA")):
                s.failed += 1
                print(f"  absah calls its own {case['name']} {case['ours']}")
    print(f"absah signed {len(s.cases)} files, {s.failed} complaints")
    return 1 if s.failed or not s.cases else 0


if __name__ == "__main__":
    sys.exit(main())
