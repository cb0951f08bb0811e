package main

import (
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"absah/internal/store/storetest"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	r := program(t, nil, "version").want(t, 0)
	if !regexp.MustCompile(`^absah \S.* go\S+ \w+/\w+\n$`).MatchString(r.out) || r.err != "" {
		t.Errorf("version printed %q and %q", r.out, r.err)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"nonsense"}, {"serve", "--nonsense"}, {"staff", "import"}, {"init", "extra"}} {
		if r := program(t, nil, args...); r.code != 80 || !strings.Contains(r.err, "error:") {
			t.Errorf("%q: exit status %d, stderr %q", args, r.code, r.err)
		}
	}
	r := program(t, nil, "--help").want(t, 0)
	for _, c := range []string{"serve", "init", "doctor", "migrate", "staff import", "version", "--config", "--data"} {
		if !strings.Contains(r.out, c) {
			t.Errorf("the help does not name %s", c)
		}
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	unknown := write(t, filepath.Join(dir, "unknown.yaml"), "mail:\n  hots: x\n")
	wrong := write(t, filepath.Join(dir, "wrong.yaml"), "addr: nonsense\nca:\n  years: 9\n")
	for _, c := range []struct {
		settings []string
		args     []string
		texts    []string
	}{
		{nil, []string{"serve", "--config", unknown}, []string{"unknown.yaml", "hots", "line 2"}},
		{nil, []string{"init", "--config", wrong}, []string{"addr: ", "ca.years: "}},
		{nil, []string{"migrate", "--config", filepath.Join(dir, "absent.yaml")}, []string{"absent.yaml"}},
		{[]string{"CONFIG=" + unknown}, []string{"migrate"}, []string{"hots"}},
		{[]string{"MAIL_HOTS=x"}, []string{"migrate"}, []string{"ABSAH_MAIL_HOTS"}},
		{nil, []string{"serve", "--addr", "nonsense"}, []string{"addr: "}},
	} {
		c.args = append(c.args, "--data", filepath.Join(dir, "data"))
		program(t, c.settings, c.args...).want(t, 1, c.texts...)
	}
	program(t, nil, "doctor", "--config", unknown).want(t, 1)
	if _, err := os.Stat(filepath.Join(dir, "data")); !os.IsNotExist(err) {
		t.Error("a wrong configuration made a data directory")
	}
}

var linkOnce = regexp.MustCompile(`/aktivasi/[0-9a-f]{32}\n`)

func TestInit(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	r := program(t, nil, "init", "--data", dir).want(t, 0, "http://127.0.0.1:8080/aktivasi/",
		"absah serve --data "+dir+"\n", "absah doctor --data "+dir+"\n", "user name admin", "ca.issuing_name.", "Absah Demo Issuing CA 1")
	first := linkOnce.FindAllString(r.out, -1)
	if len(first) != 1 || r.err != "" {
		t.Fatalf("init printed %q and %q", r.out, r.err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		public := filepath.Base(filepath.Dir(path)) == "ca" || d.Name() == "ca" // certificates are for everybody
		if perm := info.Mode().Perm(); !public && perm&0o077 != 0 {
			t.Errorf("%s has mode %o", path, perm)
		}
		if b, _ := os.ReadFile(path); strings.Contains(string(b), strings.TrimSpace(first[0][10:])) {
			t.Errorf("%s holds the one-time link", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	// Asked again before anybody used the link: a new one for the same person,
	// and everything else stays.
	key, err := os.ReadFile(filepath.Join(dir, "keys", "data.1.key"))
	if err != nil {
		t.Fatal(err)
	}
	second := linkOnce.FindAllString(program(t, nil, "init", "--data", dir).want(t, 0).out, -1)
	if len(second) != 1 || second[0] == first[0] {
		t.Errorf("the second link is %q", second)
	}
	if again, err := os.ReadFile(filepath.Join(dir, "keys", "data.1.key")); err != nil || string(again) != string(key) {
		t.Errorf("init replaced a key (%v)", err)
	}
	d := openSQLite(t, dir)
	if n := count(t, d, "select count(*) from account"); n != 1 {
		t.Errorf("there are %d accounts", n)
	}
	if n := count(t, d, "select count(*) from invitation where superseded_at = 0 and used_at = 0"); n != 1 {
		t.Errorf("%d links are live", n)
	}

	// Once an administrator is there, init gives nobody a way in.
	if _, err := d.Exec("update account set state = 'active'"); err != nil {
		t.Fatal(err)
	}
	r = program(t, nil, "init", "--data", dir).want(t, 1, "administrator")
	if linkOnce.MatchString(r.out + r.err) {
		t.Error("init printed a link although there is an administrator")
	}
}

func openSQLite(t *testing.T, dir string) *sql.DB {
	t.Helper()
	d, err := sql.Open("sqlite", filepath.Join(dir, "absah.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func count(t *testing.T, d *sql.DB, query string) (n int) {
	t.Helper()
	if err := d.QueryRow(query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program(t, nil, "init", "--data", dir).want(t, 0)
	program(t, nil, "migrate", "--data", dir).want(t, 0, "0 steps; the schema is up to date")
	d := openSQLite(t, dir)
	if _, err := d.Exec("update goose_db_version set version_id = version_id + 1000 where id = (select max(id) from goose_db_version)"); err != nil {
		t.Fatal(err)
	}
	program(t, nil, "serve", "--data", dir, "--addr", freeAddr(t)).want(t, 1, "newer version of absah")
	if _, err := d.Exec("delete from goose_db_version where id > 1"); err != nil {
		t.Fatal(err)
	}
	program(t, nil, "serve", "--data", dir, "--addr", freeAddr(t)).want(t, 1, "absah migrate")
}

const header = "NIP,Nama,NIK,Jabatan,Gol,Kode Unit,Nama Unit,Email,Tempat Lahir,Tanggal Lahir,Jenis Kelamin\n"

const importFile = header +
	"199001012015011901,Andi Contoh,3171010101900000,Analis Contoh,III/b,CONTOH,Unit Contoh,andi@contoh.example,Kota Rekaan,1990-01-01,L\n" +
	"199102022016022902,Budi Rekaan,3171014202910000,Analis Contoh,III/a,CONTOH,Unit Contoh,budi@contoh.example,Kota Rekaan,1991-02-02,P\n"

func TestStaffImport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program(t, nil, "staff", "import", write(t, filepath.Join(dir, "x.csv"), header), "--data", filepath.Join(dir, "absent")).
		want(t, 1, "absah init")
	program(t, nil, "init", "--data", dir).want(t, 0)
	d := openSQLite(t, dir)
	people := "select count(*) from employee"

	good := write(t, filepath.Join(dir, "good.csv"), importFile)
	program(t, nil, "staff", "import", good, "--dry-run", "--data", dir).want(t, 0)
	if n := count(t, d, people); n != 0 {
		t.Fatalf("a dry run left %d employees", n)
	}
	program(t, nil, "staff", "import", good, "--data", dir).want(t, 0)
	if n := count(t, d, people); n != 2 {
		t.Fatalf("%d employees after the import, want 2", n)
	}
	program(t, nil, "staff", "import", good, "--data", dir).want(t, 0)
	if n := count(t, d, people); n != 2 {
		t.Fatalf("%d employees after importing the same file again", n)
	}

	bad := write(t, filepath.Join(dir, "bad.csv"), importFile+"1,Salah Contoh,,,,CONTOH,,bukan-surel,,,\n")
	r := program(t, nil, "staff", "import", bad, "--data", dir).want(t, 1, "nothing was imported")
	if !strings.Contains(r.out, "\n4;") || strings.Contains(r.out+r.err, "3171") {
		t.Errorf("the report lacks the line or shows a NIK:\n%s", r.out)
	}
	if n := count(t, d, people); n != 2 {
		t.Errorf("%d employees after a refused import", n)
	}
	program(t, nil, "staff", "import", filepath.Join(dir, "absent.csv"), "--data", dir).want(t, 80, "absent.csv")
}

// The database is the one that ABSAH_DATABASE_URL names, and a password in the
// address is never shown.
func TestDatabaseURL(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	url := "DATABASE_URL=" + storetest.Postgres(t)
	program(t, []string{url}, "init", "--data", dir).want(t, 0)
	if _, err := os.Stat(filepath.Join(dir, "absah.db")); !os.IsNotExist(err) {
		t.Error("there is a SQLite database beside PostgreSQL")
	}
	program(t, []string{url}, "migrate", "--data", dir).want(t, 0, "0 steps")
	f := examine(t, []string{url}, dir)
	f.ok(t, "database", "PostgreSQL")
	f.ok(t, "clock", "agree")
	f.ok(t, "issue", "")
	for _, wrong := range []string{
		"postgres://absah:rahasia-besar@127.0.0.1:1/absah?sslmode=disable", "postgres://absah:rahasia-besar@%zz/absah",
	} {
		r := program(t, []string{"DATABASE_URL=" + wrong}, "serve", "--data", dir, "--addr", freeAddr(t)).want(t, 1, "database")
		if strings.Contains(r.out+r.err, "rahasia") {
			t.Errorf("the password is shown: %s", r.err)
		}
		f := examine(t, []string{"DATABASE_URL=" + wrong}, dir)
		f.fails(t, "database", "", "database.url")
		if strings.Contains(f.text, "rahasia") {
			t.Errorf("the doctor shows the password: %s", f.text)
		}
	}
}
