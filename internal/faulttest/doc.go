// Package faulttest shows what becomes of an operation when a write fails that it
// makes, or the disk is full. It has tests only.
//
// Every operation of the life of a certificate runs on a real installation, on
// both databases. Each row and each commit that it writes fails once, in both
// ways: nothing of it is stored, and it is stored and the answer lost. After
// each failure nothing may be half done, and asking again has to end as if
// nothing had failed: the same number of rows in every table.
package faulttest
