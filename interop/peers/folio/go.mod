module folio-peer

go 1.26.0

require github.com/carlos7ags/folio v0.11.0

require (
	golang.org/x/image v0.47.0 // indirect
	golang.org/x/net v0.61.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)
