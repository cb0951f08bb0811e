// Package pades signs PDF files and validates their signatures by EN 319 142-1
// and ISO 32000-2 12.8, at the levels B-B, B-T, B-LT and B-LTA. Signing copies
// the input once, unchanged, and appends incremental updates; it holds nothing
// but those in memory.
package pades
