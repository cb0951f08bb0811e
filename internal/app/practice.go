package app

import (
	"html/template"
	"net/http"
)

// practiceText is what stands at the CPS URI of every certificate until the
// installation publishes a statement of its own: what the authority does, no
// more and no less.
var practiceText = template.Must(template.New("cps").Parse(`<!doctype html>
<html lang="id"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pernyataan penyelenggaraan sertifikasi — {{.Identity.IssuerName}}</title></head>
<body>
<main>
<h1>Pernyataan penyelenggaraan sertifikasi</h1>
<p><strong>{{.Identity.IssuerName}}</strong>, {{.Identity.Organisation}}. OID kebijakan: {{.CA.PolicyOID}}.</p>
{{if .Demo}}<p><strong>Instalasi demo: sertifikat yang diterbitkan di sini tidak memiliki kekuatan hukum.</strong></p>{{end}}
<ul>
<li>Sertifikat diterbitkan setelah data pemohon diperiksa dua kali oleh dua petugas yang berbeda.</li>
<li>Kunci pribadi pemilik sertifikat disimpan tersegel dengan passphrase yang hanya diketahui pemiliknya; kunci tersebut tidak dapat dipulihkan.</li>
<li>Sertifikat berlaku {{.CA.Years}} tahun dan dapat dicabut oleh pemilik atau petugas. Pencabutan terlihat segera melalui OCSP dan pada CRL berikutnya.</li>
</ul>
<h2 lang="en">Certification practice statement</h2>
<div lang="en">
{{if .Demo}}<p><strong>Demo installation: certificates issued here have no legal effect.</strong></p>{{end}}
<ul>
<li>A certificate is issued after the applicant's data were checked twice, by two different officers.</li>
<li>The subscriber's private key is stored sealed with a passphrase that only the subscriber knows; it cannot be recovered.</li>
<li>Certificates are valid for {{.CA.Years}} years and can be revoked by the subscriber or an officer. A revocation shows at once by OCSP and in the next CRL.</li>
</ul>
</div>
<p>{{.Desk}}</p>
</main>
</body></html>
`))

func (a *App) practice() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		err := practiceText.Execute(w, map[string]any{
			"Identity": a.Config.Identity, "CA": a.Config.CA, "Demo": a.Demo, "Desk": deskLine(a.Config.Identity),
		})
		if err != nil {
			a.Log.Warn("the page of the practice statement was cut off", "error", err)
		}
	})
}
