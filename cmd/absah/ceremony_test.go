package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// ritual walks through ceremonies on two machines with a stick between them.
type ritual struct {
	t                   *testing.T
	root, online, stick string
}

func newRitual(t *testing.T) *ritual {
	t.Helper()
	dir := t.TempDir()
	r := &ritual{t, filepath.Join(dir, "safe"), filepath.Join(dir, "online"), filepath.Join(dir, "stick")}
	for _, d := range []string{r.root, r.online, r.stick} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

const common = `
operator: Petugas Upacara Fiktif
witnesses: [Saksi Satu Fiktif, Saksi Dua Fiktif]
out: ../stick
`

const atRoot = common + `
keys: {dir: keys}
dir: ca
`

const onlineKeys = common + `
keys: {dir: data/keys}
dir: data/ca
`

// file writes the file of a ceremony on a machine.
func (r *ritual) file(machine, name, text string) string {
	return write(r.t, filepath.Join(machine, name+".yaml"), text)
}

// hold says first what it would do, then does it.
func (r *ritual) hold(machine, name, text string, says ...string) string {
	r.t.Helper()
	path := r.file(machine, name, text)
	before := tree(r.t, machine, r.stick)
	said := program(r.t, nil, "ca", "ceremony", path).want(r.t, 1, "nothing was done")
	for _, s := range says {
		if !strings.Contains(said.out, s) {
			r.t.Errorf("%s does not say %q:\n%s", name, s, said.out)
		}
	}
	if after := tree(r.t, machine, r.stick); after != before {
		r.t.Fatalf("%s: saying what would be done left something behind:\n%s\nbefore:\n%s", name, after, before)
	}
	return program(r.t, nil, "ca", "ceremony", path, "--yes").want(r.t, 0, append(says, "transcript")...).out
}

func tree(t *testing.T, dirs ...string) string {
	t.Helper()
	var b strings.Builder
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			b.WriteString(path + "\n")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

var keyDigest = regexp.MustCompile(`"public_key_sha256":"([0-9a-f]{64})"`)

// digest is that of the key in the newest transcript of a ceremony.
func (r *ritual) digest(out string) string {
	r.t.Helper()
	_, path, _ := strings.Cut(out, "transcript ")
	b, err := os.ReadFile(strings.TrimSpace(path))
	if err != nil {
		r.t.Fatal(err)
	}
	m := keyDigest.FindSubmatch(b)
	if m == nil {
		r.t.Fatalf("no key in %s", b)
	}
	return string(m[1])
}

func (r *ritual) openssl(args ...string) string {
	r.t.Helper()
	var out bytes.Buffer
	cmd := exec.Command("openssl", args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		r.t.Fatalf("openssl %v: %v\n%s", args, err, &out)
	}
	return out.String()
}

// An offline root, an issuing CA, its responder and TSA, a rolled-over issuing
// CA and the root's CRL: everything goes by files, and openssl agrees.
func TestCeremonies(t *testing.T) {
	t.Parallel()
	r := newRitual(t)
	out := r.hold(r.root, "root", atRoot+"ceremony: create-root\ncountry: ID\norganisation: Instansi Contoh\ncommon_name: Induk Contoh\nalgorithm: ecdsa-p384\nyears: 20\n",
		"make the key ca-root (ecdsa-p384)", "CN=Induk Contoh", "breaks no rule")
	_, transcript, _ := strings.Cut(out, "transcript ")
	transcript = strings.TrimSpace(transcript)
	rootCert := filepath.Join(r.stick, "ca-root.crt")
	program(t, nil, "ca", "transcript", transcript, "--certificate", rootCert).want(t, 0, "create-root", "output", "ca-root.crt", "whole, and signed")
	b, err := os.ReadFile(transcript)
	if err != nil {
		t.Fatal(err)
	}
	write(t, transcript, strings.Replace(string(b), "Saksi Dua", "Saksi Tiga", 1))
	program(t, nil, "ca", "transcript", transcript, "--certificate", rootCert).want(t, 1, "does not hold")

	issue := func(name, cn, number string) {
		out := r.hold(r.online, "request-"+name, onlineKeys+"ceremony: create-issuing-request\nname: "+name+"\ncountry: ID\norganisation: Instansi Contoh\ncommon_name: "+cn+"\nalgorithm: ecdsa-p256\n",
			"make the key "+name)
		sign := atRoot + "ceremony: sign-issuing\nname: " + name + "\ncountry: ID\norganisation: Instansi Contoh\ncommon_name: " + cn +
			"\nyears: 10\npolicy_oid: 2.25.7260.1.1\npki_url: http://pki.contoh.example\nrequest: ../stick/" + name + ".csr\npublic_key: "
		wrong := r.file(r.root, "wrong", sign+strings.Repeat("0", 64)+"\n")
		program(t, nil, "ca", "ceremony", wrong, "--yes").want(t, 1, "it is for the key")
		r.hold(r.root, "sign-"+name, sign+r.digest(out)+"\n", "CN="+cn, "breaks no rule")
		r.hold(r.online, "import-"+name, onlineKeys+"ceremony: import\nfiles: ["+number+"../stick/"+name+".crt]\n", "import "+name, "its key is in the vault")
	}
	issue("ca-issuing", "Penerbit Contoh 1", "../stick/ca-root.crt, ")
	issue("ca-issuing-2", "Penerbit Contoh 2", "")

	for name, cn := range map[string]string{"ca-tsa": "Penanda Waktu Contoh", "ca-seal": "Instansi Contoh", "ca-ocsp": "OCSP", "ca-ocsp-2": "OCSP"} {
		out := r.hold(r.online, "request-"+name, onlineKeys+"ceremony: create-service-request\nname: "+name+"\ncountry: ID\norganisation: Instansi Contoh\ncommon_name: "+cn+"\nalgorithm: ecdsa-p256\n")
		text := onlineKeys + "ceremony: certify-service\nname: " + name + "\ncountry: ID\norganisation: Instansi Contoh\ncommon_name: " + cn +
			"\ndays: 60\npolicy_oid: 2.25.7260.1.1\npki_url: http://pki.contoh.example\nrequest: ../stick/" + name + ".csr\npublic_key: " + r.digest(out) + "\n"
		if name == "ca-ocsp" {
			program(t, nil, "ca", "ceremony", r.file(r.online, "wrong", text), "--yes").want(t, 1, "is not the responder of ca-issuing-2")
			text += "issuing: ca-issuing\n"
		}
		r.hold(r.online, "certify-"+name, text, "breaks no rule", name+"-000001.crt")
	}

	crl := func(number, revoked string) string {
		return atRoot + "ceremony: sign-root-crl\nnumber: " + number + "\ndays: 180\nrevoked: " + revoked + "\n"
	}
	r.hold(r.root, "crl1", crl("1", "[{serial: 0a1b2c, date: 2026-01-02T03:04:05Z, reason: 4}]"), "CRL number 1 of 1 entries", "first one")
	program(t, nil, "ca", "ceremony", r.file(r.root, "crl", crl("1", "[{serial: 0a1b2c, date: 2026-01-02T03:04:05Z, reason: 4}]")), "--yes").want(t, 1, "the CRL number does not grow")
	program(t, nil, "ca", "ceremony", r.file(r.root, "crl", crl("2", "[]")), "--yes").want(t, 1, "lacks 0a1b2c")
	r.hold(r.online, "import-crl", onlineKeys+"ceremony: import\nfiles: [../stick/ca-root-1.crl]\n", "import the root's CRL")

	pem := func(name string) string {
		path := filepath.Join(t.TempDir(), filepath.Base(name)+".pem")
		r.openssl("x509", "-in", name, "-out", path)
		return path
	}
	rootPEM := pem(rootCert)
	crlPEM := filepath.Join(t.TempDir(), "crl.pem")
	r.openssl("crl", "-in", filepath.Join(r.stick, "ca-root-1.crl"), "-inform", "DER", "-out", crlPEM)
	for _, name := range []string{"ca-issuing", "ca-issuing-2"} {
		if out := r.openssl("verify", "-x509_strict", "-crl_check", "-CRLfile", crlPEM, "-CAfile", rootPEM, pem(filepath.Join(r.stick, name+".crt"))); !strings.Contains(out, "OK") {
			t.Error(out)
		}
	}
	for name, purpose := range map[string]string{"ca-tsa": "timestampsign", "ca-ocsp-2": "ocsphelper"} {
		out := r.openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", rootPEM, "-untrusted", pem(filepath.Join(r.stick, "ca-issuing-2.crt")),
			pem(filepath.Join(r.stick, name+"-000001.crt")))
		if !strings.Contains(out, "OK") {
			t.Error(out)
		}
	}
	// The root's key never left the safe.
	if _, err := os.Stat(filepath.Join(r.online, "data", "keys", "ca-root.pem")); err == nil {
		t.Error("the root's key is online")
	}
}

func TestCeremonyFilesAreStrict(t *testing.T) {
	t.Parallel()
	r := newRitual(t)
	root := atRoot + "ceremony: create-root\ncountry: ID\norganisation: Instansi Contoh\ncommon_name: Induk\nalgorithm: ecdsa-p384\nyears: 20\n"
	for name, c := range map[string]struct{ text, want string }{
		"a key nobody knows":     {root + "color: red\n", "color"},
		"a key without effect":   {root + "pki_url: http://pki.contoh.example\n", "pki_url has no effect"},
		"a missing key":          {strings.Replace(root, "years: 20\n", "", 1), "years is missing"},
		"another ceremony":       {strings.Replace(root, "create-root", "burn-root", 1), "ceremony is none of"},
		"two documents":          {root + "---\nceremony: import\n", "more than one document"},
		"an algorithm too weak":  {strings.Replace(root, "ecdsa-p384", "rsa-2048", 1), "algorithm is not"},
		"no country":             {strings.Replace(root, "country: ID", "country: Indonesia", 1), "two capital letters"},
		"a key given twice":      {root + "years: 21\n", "years"},
		"nobody who answers":     {strings.Replace(root, "operator: Petugas Upacara Fiktif\n", "", 1), "operator is missing"},
		"the vault's directory":  {strings.Replace(root, "keys: {dir: keys}", "keys: {kind: file}", 1), "keys.dir is missing"},
		"no vault for a root":    {strings.Replace(root, "keys: {dir: keys}\n", "", 1), "keys is missing"},
		"a validity for forever": {strings.Replace(root, "years: 20", "years: 99", 1), "years must be 2 to 30"},
	} {
		before := tree(t, r.root, r.stick)
		path := r.file(r.root, "wrong", c.text)
		got := program(t, nil, "ca", "ceremony", path, "--yes")
		if got.code != 1 || !strings.Contains(got.err, c.want) {
			t.Errorf("%s: %d %s, want %q", name, got.code, got.err, c.want)
		}
		_ = os.Remove(path)
		if after := tree(t, r.root, r.stick); after != before {
			t.Errorf("%s: something was made:\n%s", name, after)
		}
	}
}
