package signing

import "slices"

// Kinds are the kinds of official letters (naskah dinas) that a document can be,
// in the order in which pages offer them. Other is what needs no distinction.
func Kinds() []string {
	return []string{
		Other, "surat_dinas", "nota_dinas", "surat_tugas", "surat_keputusan",
		"keputusan_organisasi", "keputusan_kepegawaian", "keputusan_anggaran",
	}
}

// Other is the kind of a document that is none of the others.
const Other = "lainnya"

// strategic are decisions on organisation, personnel and budget, which a Plt. or
// Plh. may not take (UU 30/2014 article 14).
func strategic() []string {
	return []string{"keputusan_organisasi", "keputusan_kepegawaian", "keputusan_anggaran"}
}

func knownKind(k string) bool { return slices.Contains(Kinds(), k) }
