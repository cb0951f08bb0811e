package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"absah/internal/ident"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Config says where the bucket is.
type S3Config struct {
	Endpoint  string // HOST or HOST:PORT
	Bucket    string // must exist
	Prefix    string // before every id, for example "scans/"; may be empty
	Region    string // may be empty
	AccessKey string
	SecretKey string
	PlainHTTP bool // no TLS: for a server on this machine only
	// Transport carries the requests; nil for that of minio-go.
	Transport http.RoundTripper
}

// S3 is a Store in a bucket of Amazon S3 or a server that speaks its protocol,
// with conditional writes (If-None-Match).
type S3 struct {
	client *minio.Client
	bucket string
	prefix string
}

// OpenS3 opens the store. It makes no request: Check tells whether the bucket
// is there and may be used.
func OpenS3(c S3Config) (*S3, error) {
	client, err := minio.New(c.Endpoint, &minio.Options{
		Creds:     credentials.NewStaticV4(c.AccessKey, c.SecretKey, ""),
		Secure:    !c.PlainHTTP,
		Region:    c.Region,
		Transport: c.Transport,
	})
	if err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	if c.Bucket == "" {
		return nil, errors.New("open blob store: no bucket named")
	}
	return &S3{client, c.Bucket, c.Prefix}, nil
}

// Put implements Store.
func (s *S3) Put(ctx context.Context, id string, b []byte) error {
	if err := errors.Join(validID(id), validSize(len(b)), ctx.Err()); err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	opts := minio.PutObjectOptions{ContentType: "application/octet-stream", DisableMultipart: true}
	opts.SetMatchETagExcept("*") // If-None-Match: * writes only what is absent
	_, err := s.client.PutObject(ctx, s.bucket, s.prefix+id, bytes.NewReader(b), int64(len(b)), opts)
	switch minio.ToErrorResponse(err).StatusCode {
	case http.StatusPreconditionFailed, http.StatusConflict:
		// 409 is what Amazon answers to one of two concurrent writes.
		return fmt.Errorf("put blob %s: %w", id, ErrExists)
	}
	if err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	return nil
}

// Get implements Store.
func (s *S3) Get(ctx context.Context, id string) ([]byte, error) {
	if err := errors.Join(validID(id), ctx.Err()); err != nil {
		return nil, fmt.Errorf("get blob: %w", err)
	}
	object, err := s.client.GetObject(ctx, s.bucket, s.prefix+id, minio.GetObjectOptions{})
	if err != nil {
		return nil, fmt.Errorf("get blob: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(object, MaxBytes+1))
	closeErr := object.Close()
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return nil, fmt.Errorf("get blob %s: %w", id, ErrNotFound)
	}
	if err := errors.Join(err, closeErr); err != nil {
		return nil, fmt.Errorf("get blob: %w", err)
	}
	if err := validSize(len(b)); err != nil {
		return nil, fmt.Errorf("get blob %s: %w", id, err)
	}
	return b, nil
}

// Delete implements Store. Without versions in the bucket the bytes are gone;
// with versions they stay until the bucket's rules remove them, sealed with a
// key that is forgotten.
func (s *S3) Delete(ctx context.Context, id string) error {
	if err := errors.Join(validID(id), ctx.Err()); err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	err := s.client.RemoveObject(ctx, s.bucket, s.prefix+id, minio.RemoveObjectOptions{})
	if err != nil && minio.ToErrorResponse(err).Code != minio.NoSuchKey {
		return fmt.Errorf("delete blob: %w", err)
	}
	return nil
}

// Usage implements Store.
func (s *S3) Usage(ctx context.Context) (Usage, error) { return usage(ctx, s) }

// List implements Store.
func (s *S3) List(ctx context.Context, each func(id string, size int64) error) error {
	// The listing runs beside us: stop it when we return early.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for o := range s.client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix, Recursive: true}) {
		if o.Err != nil {
			return fmt.Errorf("list blobs: %w", o.Err)
		}
		if len(o.Key) < len(s.prefix) || !ident.Valid(o.Key[len(s.prefix):]) {
			continue
		}
		if err := each(o.Key[len(s.prefix):], o.Size); err != nil {
			return fmt.Errorf("list blobs: %w", err)
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("list blobs: %w", err)
	}
	return nil
}

// Check implements Store.
func (s *S3) Check(ctx context.Context) error {
	ok, err := s.client.BucketExists(ctx, s.bucket)
	if err != nil {
		return fmt.Errorf("look for bucket %s: %w", s.bucket, err)
	}
	if !ok {
		return fmt.Errorf("look for bucket %s: %w", s.bucket, ErrNotFound)
	}
	return check(ctx, s)
}
