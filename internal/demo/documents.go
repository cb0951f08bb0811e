package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"absah/internal/audit"
	"absah/internal/signing"
)

// bring uploads a letter.
func (t *teller) bring(ctx context.Context, who audit.Actor, client, kind, subject, number string) (signing.Document, error) {
	body := paper(subject, number, "Sehubungan dengan kegiatan Instansi Contoh, dengan ini disampaikan hal", "seperti pada judul surat ini untuk ditindaklanjuti sebagaimana mestinya.", "", "Demikian disampaikan, atas perhatiannya diucapkan terima kasih.")
	d, err := t.Signing.Upload(ctx, who, signing.Upload{Name: subject + ".pdf", Kind: kind, Client: client, Body: bytes.NewReader(body)})
	if err != nil {
		return d, fmt.Errorf("bring %s: %w", subject, err)
	}
	return d, nil
}

// writeDocuments gives one subscriber documents in every state: one that nobody
// has signed, two signed, one on its way through three hands, one sent back, one
// that an application brought, and one of somebody else that waits for the writer.
func (t *teller) writeDocuments(ctx context.Context) error {
	subscribers := t.of(storyIssued)
	writer, reader, chief := subscribers[2], subscribers[3], subscribers[4]
	step := func(who audit.Actor, role signing.Role) signing.Step {
		return signing.Step{EmployeeID: who.EmployeeID, Role: role}
	}
	var documents []signing.Document
	for _, d := range []struct {
		who                           audit.Actor
		client, kind, subject, number string
	}{
		{writer, "", "surat_dinas", "Undangan Rapat Koordinasi Rekaan", "UND-021/FIKTIF/2026"},
		{writer, "", "nota_dinas", "Laporan Kegiatan Contoh", "ND-107/FIKTIF/2026"},
		{writer, "", "surat_tugas", "Surat Tugas Pelatihan Fiktif", "ST-033/FIKTIF/2026"},
		{writer, "", "surat_dinas", "Permohonan Data Peraga", "S-054/FIKTIF/2026"},
		{writer, "", "surat_dinas", "Konsep Surat Edaran Contoh", "SE-013/FIKTIF/2026"},
		{reader, "", "nota_dinas", "Usulan Kegiatan Misalan", "ND-111/FIKTIF/2026"},
	} {
		made, err := t.bring(ctx, d.who, d.client, d.kind, d.subject, d.number)
		if err != nil {
			return err
		}
		documents = append(documents, made)
		t.clock.Pass(9 * time.Minute)
	}
	now := t.clock.Now()
	for _, w := range []struct {
		who audit.Actor
		signing.NewWorkflow
	}{
		{writer, signing.NewWorkflow{
			Document: documents[2].ID, Ordered: true, Due: now.Add(8 * 24 * time.Hour), Note: "Mohon ditandatangani sebelum pelatihan dimulai.",
			Steps: []signing.Step{step(writer, signing.Paraf), step(reader, signing.SignRole), step(chief, signing.SignRole)},
		}},
		{writer, signing.NewWorkflow{Document: documents[3].ID, Note: "Untuk dikirim minggu ini.", Steps: []signing.Step{step(reader, signing.SignRole)}}},
		{reader, signing.NewWorkflow{
			Document: documents[5].ID, Due: now.Add(6 * 24 * time.Hour), Note: "Paraf Anda diperlukan sebelum diajukan.",
			Steps: []signing.Step{step(writer, signing.Paraf), step(chief, signing.SignRole)},
		}},
	} {
		if err := t.Signing.StartWorkflow(ctx, w.who, w.NewWorkflow); err != nil {
			return fmt.Errorf("send a document round: %w", err)
		}
	}
	t.clock.Pass(50 * time.Minute)
	if err := t.Signing.Reject(ctx, reader, documents[3].ID, "Nomor surat rujukan belum diisi. Mohon dilengkapi lalu dikirim lagi."); err != nil {
		return err
	}
	a, err := t.Signing.Authorize(ctx, signing.Authorization{Who: writer, Signer: writer.EmployeeID, Secret: t.secret, Items: []signing.Item{
		{Document: documents[0].ID, Digest: documents[0].SHA256, Request: atTheFoot()},
		{Document: documents[1].ID, Digest: documents[1].SHA256, Request: atTheFoot()},
		{Document: documents[2].ID, Digest: documents[2].SHA256},
	}})
	if err != nil {
		return fmt.Errorf("authorise documents: %w", err)
	}
	if err := t.sign(ctx, a); err != nil {
		return err
	}
	if err := t.Signing.Share(ctx, writer, documents[0].ID, true); err != nil {
		return err
	}
	return t.callWithDocument(ctx, writer)
}

// sign signs everything that was authorised.
func (t *teller) sign(ctx context.Context, a *signing.Activation) error {
	var failed error
	for _, o := range a.SignDocuments(ctx, func(signing.Outcome) {}) {
		if o.Err != nil {
			failed = errors.Join(failed, fmt.Errorf("sign %s: %w", o.Name, o.Err))
		}
	}
	return errors.Join(failed, a.Close(ctx))
}

// writeBulk sends three letters by a table, which one signs at once, and begins
// a second bulk whose table has faults.
func (t *teller) writeBulk(ctx context.Context) error {
	subscribers := t.of(storyIssued)
	writer, chief := subscribers[2], subscribers[4]
	nip := func(who audit.Actor) string {
		for i, a := range t.actors {
			if a.EmployeeID == who.EmployeeID {
				return t.people[i].nip
			}
		}
		return ""
	}
	good := []string{"Berkas;NIP penanda tangan;Jangkar;Nomor;Perihal"}
	bad := good[:1:1]
	var goodFiles, badFiles []string
	for i, place := range []string{"Kota Rekaan", "Kota Misalan", "Kota Peraga"} {
		name := "Surat Tugas ke " + place
		goodFiles, badFiles = append(goodFiles, name), append(badFiles, "Undangan untuk "+place)
		good = append(good, fmt.Sprintf("%s.pdf;%s;#;ST-%03d/FIKTIF/2026;Pelatihan di %s", name, nip(chief), 41+i, place))
	}
	bad = append(bad,
		fmt.Sprintf("%s.pdf;%s;#;UND-031/FIKTIF/2026;Rapat contoh", badFiles[0], nip(chief)),
		fmt.Sprintf("%s.pdf;190000000000000000;#;UND-032/FIKTIF/2026;Rapat contoh", badFiles[1]),
		fmt.Sprintf("Undangan untuk Kota Hilang.pdf;%s;#;UND-033/FIKTIF/2026;Rapat contoh", nip(chief)),
	)
	id, err := t.gather(ctx, writer, "Surat tugas pelatihan", goodFiles, good)
	if err != nil {
		return err
	}
	if err := errors.Join(t.Signing.SendBulk(ctx, writer, id), t.Signing.BulkJob(ctx, id)); err != nil {
		return fmt.Errorf("send a bulk: %w", err)
	}
	list, err := t.Signing.ToSign(ctx, chief.EmployeeID, id)
	if err != nil {
		return fmt.Errorf("read a bulk: %w", err)
	}
	t.clock.Pass(2 * time.Hour)
	a, err := t.Signing.AuthorizeBulk(ctx, chief, id, list.Digest, t.secret)
	if err != nil {
		return fmt.Errorf("authorise a bulk: %w", err)
	}
	if err := t.sign(ctx, a); err != nil {
		return err
	}
	_, err = t.gather(ctx, writer, "Undangan rapat akhir tahun", badFiles[:2], bad)
	return err
}

// gather makes a bulk and has its table checked.
func (t *teller) gather(ctx context.Context, who audit.Actor, name string, files, table []string) (string, error) {
	id, err := t.Signing.NewBulk(ctx, who, name, "", "")
	if err != nil {
		return "", fmt.Errorf("begin a bulk: %w", err)
	}
	for i, f := range files {
		body := paper(f, fmt.Sprintf("FIKTIF-%02d/2026", i+1), "Kepada yang terhormat pegawai Instansi Contoh,", "", "mohon hadir sebagaimana jadwal terlampir.")
		if err := t.Signing.AddToBulk(ctx, who, id, signing.Upload{Name: f + ".pdf", Body: bytes.NewReader(body)}); err != nil {
			return "", fmt.Errorf("bring %s: %w", f, err)
		}
	}
	if err := t.Signing.SetSheet(ctx, who, id, strings.NewReader(strings.Join(table, "\n")+"\n")); err != nil {
		return "", fmt.Errorf("bring a table: %w", err)
	}
	if err := errors.Join(t.Signing.CheckBulk(ctx, who, id), t.Signing.BulkJob(ctx, id)); err != nil {
		return "", fmt.Errorf("check a bulk: %w", err)
	}
	return id, nil
}
