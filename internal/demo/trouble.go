package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"absah/internal/audit"
	"absah/internal/enrolment"
	"absah/internal/privacy"
)

// pastIncident has two administrators revoke the certificates of an incident.
func (t *teller) pastIncident(ctx context.Context) error {
	admins := t.administrators()
	var serials []string
	for _, who := range t.of(storyIncident) {
		list, err := t.Store.Read().CertificatesOfEmployee(ctx, who.EmployeeID)
		if err != nil {
			return fmt.Errorf("find certificates: %w", err)
		}
		for _, c := range list {
			serials = append(serials, c.Serial)
		}
	}
	why := enrolment.Revocation{Code: "key_compromise", Text: "Dua laptop dinas hilang saat perjalanan (cerita rekaan)."}
	i, err := t.Enrolment.AskIncident(ctx, admins[0], enrolment.Incident{Serials: serials}, why)
	if err != nil {
		return fmt.Errorf("ask for an incident: %w", err)
	}
	t.clock.Pass(12 * time.Minute)
	return errors.Join(t.Enrolment.DecideIncident(ctx, admins[1], i.ID, true), t.Enrolment.RunIncident(ctx, i.ID))
}

// askIncident leaves a revocation of many for the first administrator to decide.
func (t *teller) askIncident(ctx context.Context) error {
	admins := t.administrators()
	_, err := t.Enrolment.AskIncident(ctx, admins[1], enrolment.Incident{UnitID: t.byCode["DJR"]}, enrolment.Revocation{
		Code: "affiliation_changed", Text: "Unit dilebur; pegawai mendaftar lagi di unit yang baru (cerita rekaan).",
	})
	if err != nil {
		return fmt.Errorf("ask for an incident: %w", err)
	}
	return nil
}

// scansOf are the identifiers of the scans of people.
func (t *teller) scansOf(ctx context.Context, people []audit.Actor) ([]string, error) {
	var out []string
	for _, who := range people {
		list, err := t.Staff.Evidence(ctx, who.EmployeeID)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			out = append(out, e.ID)
		}
	}
	return out, nil
}

func (t *teller) breach(ctx context.Context, people []audit.Actor, known time.Duration, what, done string) (string, error) {
	scans, err := t.scansOf(ctx, people)
	if err != nil {
		return "", err
	}
	now := t.clock.Now()
	r, err := t.Privacy.ReportBreach(ctx, t.administrators()[0], privacy.Exposure{
		Scans: scans, Since: now.Add(-known - 6*time.Hour), Until: now.Add(-known), KnownAt: now.Add(-known), What: what, Done: done,
	})
	if err != nil {
		return "", fmt.Errorf("report a breach: %w", err)
	}
	return r.Reference, nil
}

// pastBreach is one of which everybody was told.
func (t *teller) pastBreach(ctx context.Context) error {
	reference, err := t.breach(ctx, t.of(storyIssued)[:1], 5*time.Hour, "Satu cetakan scan KTP tertinggal di ruang rapat (cerita rekaan).", "Cetakan diambil kembali dan dimusnahkan; pencetakan scan dimatikan.")
	if err != nil {
		return err
	}
	t.clock.Pass(3 * time.Hour)
	if _, err := t.Privacy.TellBreach(ctx, t.administrators()[1], reference); err != nil {
		return fmt.Errorf("tell of a breach: %w", err)
	}
	return nil
}

// openBreach is one whose clock runs.
func (t *teller) openBreach(ctx context.Context) error {
	_, err := t.breach(ctx, t.of(storyIssued)[2:5], 4*time.Hour, "Berkas scan tiga pegawai terkirim ke alamat e-mail yang salah (cerita rekaan).", "Penerima diminta menghapus berkas; pengiriman lewat e-mail dihentikan.")
	return err
}

// answerPrivacy is a request that was answered, and one that was refused.
func (t *teller) answerPrivacy(ctx context.Context) error {
	people, admin := t.of(storyIssued), t.administrators()[0]
	for _, r := range []struct {
		who          audit.Actor
		kind         privacy.Kind
		text, answer string
		outcome      privacy.Outcome
	}{
		{people[3], privacy.Access, "Mohon salinan data saya dan daftar siapa yang melihat scan KTP saya.", "Salinan data tersedia di halaman Data saya; daftar yang melihat ada di halaman Akses.", privacy.Granted},
		{people[4], privacy.Erasure, "Mohon semua data saya dihapus.", "Sertifikat Anda masih dipakai. Data disimpan selama diwajibkan; scan KTP sudah dihapus.", privacy.Partly},
	} {
		made, err := t.Privacy.Ask(ctx, r.who, r.kind, r.text)
		if err != nil {
			return fmt.Errorf("ask about data: %w", err)
		}
		t.clock.Pass(90 * time.Minute)
		if err := t.Privacy.Answer(ctx, admin, made.ID, r.outcome, r.answer); err != nil {
			return fmt.Errorf("answer about data: %w", err)
		}
	}
	return nil
}

// askPrivacy leaves requests whose clock runs.
func (t *teller) askPrivacy(ctx context.Context) error {
	return t.ask(ctx, t.of(storyRejected)[0], privacy.Erasure, "Pendaftaran saya ditolak. Mohon scan KTP dan surat rekomendasi saya dihapus.")
}

// askPrivacyLate leaves one that has just come.
func (t *teller) askPrivacyLate(ctx context.Context) error {
	return t.ask(ctx, t.of(storyIssued)[2], privacy.Correction, "Tempat lahir saya tertulis keliru di data kepegawaian. Mohon diperbaiki sesuai akta.")
}

func (t *teller) ask(ctx context.Context, who audit.Actor, kind privacy.Kind, text string) error {
	if _, err := t.Privacy.Ask(ctx, who, kind, text); err != nil {
		return fmt.Errorf("ask about data: %w", err)
	}
	return nil
}
