package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"absah/internal/audit"
	"absah/internal/ca"
	"absah/internal/seal"
	"absah/internal/signing"
	"absah/pades"
	"absah/pades/appearance"
)

// institutions are whom the seals of the demo stand for.
var institutions = []ca.Institution{
	{Name: "Segel Direktorat Jenderal Rekaan", Organisation: "Direktorat Jenderal Rekaan", ID: "GO:ID-REKAAN-01"},
	{Name: "Segel Badan Fiktif", Organisation: "Badan Fiktif", ID: "GO:ID-REKAAN-02"},
}

// makeSeals has two administrators make seals that two subscribers keep each. A
// third keeper of the last one waits for the second administrator.
func (t *teller) makeSeals(ctx context.Context) error {
	admins, subscribers := t.administrators(), t.of(storyIssued)
	if len(admins) < 2 || len(subscribers) < 2*len(institutions)+1 {
		return errors.New("nobody to make or keep a seal")
	}
	for i, institution := range institutions {
		id, err := t.makeSeal(ctx, admins, institution, subscribers[2*i:2*i+2])
		if err != nil {
			return err
		}
		t.seal = id
	}
	return t.Seals.Order(ctx, admins[1], t.seal, seal.Order{Kind: seal.NameKeeper, Keeper: subscribers[4].EmployeeID, Note: "Menggantikan penjaga yang akan cuti."})
}

func (t *teller) makeSeal(ctx context.Context, admins []audit.Actor, institution ca.Institution, keepers []audit.Actor) (string, error) {
	id, err := t.Seals.Propose(ctx, admins[0], institution, "Untuk surat edaran dan pengumuman.")
	if err != nil {
		return "", err
	}
	for _, k := range keepers {
		if err := t.Seals.Order(ctx, admins[0], id, seal.Order{Kind: seal.NameKeeper, Keeper: k.EmployeeID}); err != nil {
			return "", err
		}
	}
	orders, err := t.Seals.Orders(ctx, id)
	if err != nil {
		return "", err
	}
	for _, o := range orders {
		if err := t.Seals.Approve(ctx, admins[1], o.ID); err != nil {
			return "", err
		}
		if err := t.Authority.SealJob(ctx, o.ID); err != nil {
			return "", fmt.Errorf("certify the seal: %w", err)
		}
	}
	return id, nil
}

// useSeal has an announcement sealed, and asks for another one, which waits for
// the writer of the documents.
func (t *teller) useSeal(ctx context.Context) error {
	keepers := t.of(storyIssued)[2:4]
	done, err := t.askForSeal(ctx, keepers[0], "Pengumuman Hari Libur Contoh", "PENG-004/FIKTIF/2026", "Mohon dirilis sebelum hari Jumat.")
	if err != nil {
		return err
	}
	view, err := t.Seals.Show(ctx, keepers[1].EmployeeID, done)
	if err != nil {
		return err
	}
	if err := t.Seals.Release(ctx, keepers[1], done, view.Digest); err != nil {
		return err
	}
	if err := t.Seals.Run(ctx, done); err != nil {
		return err
	}
	_, err = t.askForSeal(ctx, keepers[1], "Surat Edaran Jam Kerja Rekaan", "SE-012/FIKTIF/2026", "Edaran bulan depan, sudah diperiksa bagian umum.")
	return err
}

func (t *teller) askForSeal(ctx context.Context, who audit.Actor, subject, number, note string) (string, error) {
	d, err := t.Signing.Upload(ctx, who, signing.Upload{
		Name: subject + ".pdf", Kind: "surat_dinas", Body: bytes.NewReader(paper(subject, number, "Kepada seluruh pegawai Instansi Contoh,", "", "bersama ini disampaikan hal seperti pada judul surat ini.")),
	})
	if err != nil {
		return "", err
	}
	return t.Seals.Request(ctx, who, seal.Ask{Seal: t.seal, Note: note, Items: []seal.Item{{Document: d.ID, Digest: d.SHA256, Request: atTheFoot()}}})
}

// atTheFoot is a visible signature where letters have theirs.
func atTheFoot() signing.Request {
	return signing.Request{Level: pades.BT, Places: []signing.Place{{
		Page: 1, Box: appearance.Box{X: 330, Y: 215, Width: 215, Height: 92}, Face: signing.FaceOf([]string{"qr", "surat", "kaki"}),
	}}}
}
