package blob_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"absah/internal/ident"
	"absah/internal/keys"
	"absah/internal/store/blob"
	"absah/internal/store/blob/blobtest"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

func openDisk(t *testing.T) (*blob.Disk, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "blobs")
	d, err := blob.OpenDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d, dir
}

func TestDisk(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) blob.Store { d, _ := openDisk(t); return d })
}

// TestS3 runs against a server in this process. With ABSAH_TEST_S3 set to
// http://ACCESS:SECRET@HOST:PORT/BUCKET it runs against that one, each test
// under a prefix of its own.
func TestS3(t *testing.T) {
	t.Parallel()
	if address := os.Getenv("ABSAH_TEST_S3"); address != "" {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal("ABSAH_TEST_S3 is not a URL")
		}
		secret, _ := u.User.Password()
		c := blob.S3Config{
			Endpoint: u.Host, Bucket: u.Path[1:], PlainHTTP: u.Scheme == "http",
			AccessKey: u.User.Username(), SecretKey: secret,
		}
		blobtest.Run(t, func(t *testing.T) blob.Store {
			c := c
			c.Prefix = ident.New() + "/"
			return openS3(t, c)
		})
		return
	}
	backend := s3mem.New()
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	blobtest.Run(t, func(t *testing.T) blob.Store {
		bucket := "bucket-" + strconv.FormatInt(n.Add(1), 10)
		if err := backend.CreateBucket(bucket); err != nil {
			t.Fatal(err)
		}
		return openS3(t, blob.S3Config{
			Endpoint: u.Host, Bucket: bucket, Prefix: "scans/", Region: "us-east-1",
			AccessKey: "access", SecretKey: "secret", PlainHTTP: true,
		})
	})
	t.Run("NoBucket", func(t *testing.T) {
		s := openS3(t, blob.S3Config{
			Endpoint: u.Host, Bucket: "absent", Region: "us-east-1", AccessKey: "a", SecretKey: "s", PlainHTTP: true,
		})
		if err := s.Check(t.Context()); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Check without a bucket: %v", err)
		}
	})
}

func openS3(t *testing.T, c blob.S3Config) blob.Store {
	t.Helper()
	s, err := blob.OpenS3(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDiskFindsWhereBlobsLay holds blobs that were put by the first characters of
// their identifiers.
func TestDiskFindsWhereBlobsLay(t *testing.T) {
	t.Parallel()
	d, dir := openDisk(t)
	id := ident.New()
	if err := os.Mkdir(filepath.Join(dir, id[:2]), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, id[:2], id), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := d.Get(t.Context(), id); err != nil || string(b) != "x" {
		t.Errorf("Get: %q, %v", b, err)
	}
	if err := d.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(t.Context(), id); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("a deleted blob: %v", err)
	}
}

// What a crash in the middle of Put leaves is not a blob; and nobody but the
// owner may read anything.
func TestDiskOnDisk(t *testing.T) {
	t.Parallel()
	d, dir := openDisk(t)
	id := ident.New()
	if err := d.Put(t.Context(), id, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, id[23:25], ".new-123"), []byte("unfinished"), 0o600); err != nil {
		t.Fatal(err)
	}
	if u, err := d.Usage(t.Context()); err != nil || u != (blob.Usage{Files: 1, Bytes: 1}) {
		t.Errorf("usage %+v, %v", u, err)
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func newSealed(t *testing.T) (blob.Sealed, string) {
	t.Helper()
	v, err := keys.InitFile(filepath.Join(t.TempDir(), "vault"))
	if err != nil {
		t.Fatal(err)
	}
	d, dir := openDisk(t)
	return blob.Sealed{Store: d, Vault: v}, dir
}

func TestSealed(t *testing.T) {
	t.Parallel()
	s, dir := newSealed(t)
	magics := [][]byte{{0xff, 0xd8, 0xff}, []byte("\x89PNG\r\n\x1a\n"), []byte("%PDF-")}
	body := bytes.Repeat([]byte("a page of an identity card "), 100)
	for _, magic := range magics {
		m := blob.Meta{ID: ident.New(), Owner: ident.New(), Kind: "id_card"}
		plain := append(bytes.Clone(magic), body...)
		dek, err := s.Put(t.Context(), m, plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Get(t.Context(), m, dek)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("the file does not come back: %v", err)
		}
		if _, err := s.Put(t.Context(), m, plain); !errors.Is(err, blob.ErrExists) {
			t.Errorf("a second Put: %v", err)
		}
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, magic := range append(magics, body[:27]) {
			// Three bytes may occur by chance; at the start they would be the magic.
			if bytes.HasPrefix(b[1:], magic) || len(magic) > 4 && bytes.Contains(b, magic) {
				t.Errorf("%q is readable in %s", magic, path)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestSealedRefuses(t *testing.T) {
	t.Parallel()
	s, dir := newSealed(t)
	m := blob.Meta{ID: ident.New(), Owner: "owner", Kind: "id_card"}
	dek, err := s.Put(t.Context(), m, []byte("\xff\xd8\xff a scan"))
	if err != nil {
		t.Fatal(err)
	}
	m2 := blob.Meta{ID: ident.New(), Owner: "owner", Kind: "id_card"}
	dek2, err := s.Put(t.Context(), m2, []byte("\xff\xd8\xff another"))
	if err != nil {
		t.Fatal(err)
	}
	refused := func(name string, m blob.Meta, dek []byte, want error) {
		t.Helper()
		if _, err := s.Get(t.Context(), m, dek); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	refused("another owner", blob.Meta{ID: m.ID, Owner: "thief", Kind: m.Kind}, dek, blob.ErrAltered)
	refused("another kind", blob.Meta{ID: m.ID, Owner: m.Owner, Kind: "specimen"}, dek, blob.ErrAltered)
	refused("fields moved", blob.Meta{ID: m.ID, Owner: "ownerid", Kind: "_card"}, dek, blob.ErrAltered)
	refused("another blob's key", m, dek2, blob.ErrAltered)
	refused("no key", m, nil, blob.ErrErased)
	refused("another blob", m2, dek, blob.ErrAltered)
	for i := range dek {
		bad := bytes.Clone(dek)
		bad[i] ^= 1
		if _, err := s.Get(t.Context(), m, bad); err == nil {
			t.Errorf("a key altered in byte %d opens", i)
		}
	}
	path := filepath.Join(dir, m.ID[23:25], m.ID)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		refused("altered byte "+strconv.Itoa(i), m, dek, blob.ErrAltered)
	}
	for _, n := range []int{1, 12, len(good) - 1} {
		if err := os.WriteFile(path, good[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		refused("cut to "+strconv.Itoa(n), m, dek, blob.ErrAltered)
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	other, _ := newSealed(t)
	other.Store = s.Store
	if _, err := other.Get(t.Context(), m, dek); !errors.Is(err, blob.ErrAltered) {
		t.Errorf("another vault: %v", err)
	}
	if err := s.Delete(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	refused("deleted", m, dek, blob.ErrNotFound)
}
