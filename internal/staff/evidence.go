package staff

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/clock"
	"absah/internal/hint"
	"absah/internal/ident"
	"absah/internal/scan"
	"absah/internal/store"
	"absah/internal/store/blob"
	"absah/internal/store/db"
)

// EvidenceState is the life of a scan: proposed in a correction, then current
// or rejected; replaced by a later one; erased for good.
type EvidenceState string

// The states of evidence.
const (
	Proposed EvidenceState = "proposed"
	Current  EvidenceState = "current"
	Rejected EvidenceState = "rejected"
	Replaced EvidenceState = "replaced"
	Erased   EvidenceState = "erased"
)

// Evidence is an uploaded scan without its bytes.
type Evidence struct {
	ID         string
	EmployeeID string
	Kind       Field // IDCard, Recommendation or Specimen
	State      EvidenceState
	MediaType  string
	Width      int // pixels; 0 for PDF
	Height     int
	Pages      int
	Size       int64 // bytes
	SHA256     []byte
	Hints      []hint.Hint
	HasThumb   bool
	UploadedAt time.Time
}

func evidenceOf(r db.Evidence) (Evidence, error) {
	e := Evidence{
		ID: r.ID, EmployeeID: r.EmployeeID, Kind: Field(r.Kind), State: EvidenceState(r.State), MediaType: r.MediaType,
		Width: int(r.Width), Height: int(r.Height), Pages: int(r.Pages), Size: r.Size, SHA256: r.Sha256,
		HasThumb: len(r.ThumbSealed) > 0, UploadedAt: clock.FromMicros(r.UploadedAt),
	}
	if err := json.Unmarshal([]byte(r.Hints), &e.Hints); err != nil {
		return Evidence{}, fmt.Errorf("read hints of evidence %s: %w", r.ID, err)
	}
	return e, nil
}

// SweepJob is the kind of the job that removes blobs which no row names. It is
// left before a blob is written, so that a crash in between leaves no orphan.
const SweepJob = "evidence.sweep"

// sweepDelay is longer than any upload takes.
const sweepDelay = time.Hour

// thumbID is the name of the blob with the thumbnail of evidence id.
func thumbID(id string) string {
	sum := sha256.Sum256([]byte("absah/thumb/" + id))
	return ident.From(bytes.NewReader(sum[:]))
}

func meta(id, employeeID string, kind Field) blob.Meta {
	return blob.Meta{ID: id, Owner: employeeID, Kind: string(kind)}
}

func thumbMeta(id, employeeID string, kind Field) blob.Meta {
	return blob.Meta{ID: thumbID(id), Owner: employeeID, Kind: string(kind) + "/thumb"}
}

// Upload takes a scan of the employee's own and proposes it in the open
// correction, which it opens if there is none; a scan of that kind proposed
// earlier and not decided is erased. It fails with *scan.Error when the file is
// not acceptable, with ErrQuota and ErrInactive.
func (s *Service) Upload(ctx context.Context, who audit.Actor, in scan.Input) (Evidence, error) {
	if err := s.checkQuota(ctx, s.Store.Read(), who.EmployeeID, Field(in.Kind), 0); err != nil {
		return Evidence{}, err // before any work is done
	}
	res, err := s.Scans.Process(ctx, in)
	if err != nil {
		return Evidence{}, fmt.Errorf("process scan: %w", err)
	}
	id, kind := ident.New(), Field(in.Kind)
	err = s.Store.InTx(ctx, func(tx *store.Tx) error {
		return tx.Enqueue(ctx, store.Job{Kind: SweepJob, ID: id, At: s.now().Add(sweepDelay)})
	})
	if err != nil {
		return Evidence{}, fmt.Errorf("announce scan: %w", err)
	}
	hints, err := json.Marshal(append([]hint.Hint{}, res.Hints...))
	if err != nil {
		return Evidence{}, fmt.Errorf("write hints: %w", err)
	}
	row := db.InsertEvidenceParams{
		ID: id, EmployeeID: who.EmployeeID, Kind: string(kind), State: string(Proposed), MediaType: res.MediaType,
		Width: int64(res.Width), Height: int64(res.Height), Pages: int64(res.Pages), Size: int64(len(res.Bytes)),
		Sha256: res.SHA256[:], UploadSha256: res.UploadSHA256[:], Hints: string(hints),
		UploadedBy: who.AccountID, UploadedAt: clock.Micros(s.now()),
	}
	if err := s.seal(ctx, &row, kind, res); err != nil {
		return Evidence{}, errors.Join(err, s.removeBlobs(ctx, id))
	}
	err = s.Store.InTx(ctx, func(tx *store.Tx) error { return s.proposeScan(ctx, tx, who, row) })
	if err != nil {
		return Evidence{}, errors.Join(err, s.removeBlobs(context.WithoutCancel(ctx), id))
	}
	return evidenceOf(db.Evidence(row))
}

func (s *Service) seal(ctx context.Context, row *db.InsertEvidenceParams, kind Field, res scan.Result) error {
	key, err := s.Blobs.Put(ctx, meta(row.ID, row.EmployeeID, kind), res.Bytes)
	if err != nil {
		return fmt.Errorf("seal scan: %w", err)
	}
	row.KeySealed = key
	if len(res.Thumb) == 0 {
		return nil
	}
	if key, err = s.Blobs.Put(ctx, thumbMeta(row.ID, row.EmployeeID, kind), res.Thumb); err != nil {
		return fmt.Errorf("seal thumbnail: %w", err)
	}
	row.ThumbSealed = key
	return nil
}

// checkQuota looks at what is live besides the scan that a new one of this kind
// would take the place of.
func (s *Service) checkQuota(ctx context.Context, q *db.Queries, employeeID string, kind Field, size int64) error {
	quota := s.Quota.orDefault()
	used, err := q.EvidenceUsage(ctx, employeeID)
	if err != nil {
		return fmt.Errorf("read quota: %w", err)
	}
	files, total := used.Files, used.Bytes
	if old, err := s.proposedScan(ctx, q, employeeID, kind); err != nil {
		return err
	} else if old != nil {
		files, total = files-1, total-old.Size
	}
	today, err := q.CountUploadsSince(ctx, db.CountUploadsSinceParams{
		EmployeeID: employeeID, UploadedAt: clock.Micros(s.now().Add(-24 * time.Hour)),
	})
	if err != nil {
		return fmt.Errorf("read quota: %w", err)
	}
	if files >= quota.Files || total+size > quota.Bytes || today >= quota.PerDay {
		return ErrQuota
	}
	return nil
}

// proposedScan is the scan of a kind that waits in the open correction, or nil.
func (s *Service) proposedScan(ctx context.Context, q *db.Queries, employeeID string, kind Field) (*db.Evidence, error) {
	list, err := q.ListEvidence(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("list evidence: %w", err)
	}
	for _, e := range list {
		if e.State == string(Proposed) && e.Kind == string(kind) {
			return &e, nil
		}
	}
	return nil, nil
}

// proposeScan writes the row of a stored scan and its item in the open correction.
func (s *Service) proposeScan(ctx context.Context, tx *store.Tx, who audit.Actor, row db.InsertEvidenceParams) error {
	employee, err := s.lockActive(ctx, tx, row.EmployeeID)
	if err != nil {
		return err
	}
	kind := Field(row.Kind)
	if err := s.checkQuota(ctx, tx.Queries, row.EmployeeID, kind, row.Size); err != nil {
		return err
	}
	if err := tx.InsertEvidence(ctx, row); err != nil {
		return fmt.Errorf("add evidence: %w", err)
	}
	change := proposal{field: kind, evidenceID: row.ID}
	if err := s.propose(ctx, tx, who, employee, []proposal{change}); err != nil {
		return err
	}
	return audit.Record(ctx, tx, s.now(), who, audit.Entry{
		Action: "evidence.upload", ObjectKind: "evidence", ObjectID: row.ID,
		Detail: map[string]string{"kind": row.Kind, "sha256": fmt.Sprintf("%x", []byte(row.Sha256))},
	})
}

// erase forgets the keys of evidence and leaves a job that removes its blobs.
func (s *Service) erase(ctx context.Context, tx *store.Tx, evidenceID string) error {
	if err := tx.EraseEvidence(ctx, evidenceID); err != nil {
		return fmt.Errorf("erase evidence: %w", err)
	}
	return tx.Enqueue(ctx, store.Job{Kind: SweepJob, ID: evidenceID})
}

// Sweep is the handler of SweepJob: it removes the blobs of evidence that was
// erased or whose row never came to be.
func (s *Service) Sweep(ctx context.Context, evidenceID string) error {
	e, err := s.Store.Read().GetEvidence(ctx, evidenceID)
	if err == nil && e.State != string(Erased) {
		return nil
	}
	if err != nil && !store.IsNotFound(err) {
		return fmt.Errorf("sweep evidence: %w", err)
	}
	return s.removeBlobs(ctx, evidenceID)
}

func (s *Service) removeBlobs(ctx context.Context, id string) error {
	return errors.Join(
		s.Blobs.Delete(ctx, blob.Meta{ID: id}),
		s.Blobs.Delete(ctx, blob.Meta{ID: thumbID(id)}),
	)
}

// Evidence lists the scans of an employee, the newest first.
func (s *Service) Evidence(ctx context.Context, employeeID string) ([]Evidence, error) {
	rows, err := s.Store.Read().ListEvidence(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("list evidence: %w", err)
	}
	list := make([]Evidence, 0, len(rows))
	for _, r := range rows {
		e, err := evidenceOf(r)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}
