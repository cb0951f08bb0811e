// Package bench measures the whole program on both databases: registrations
// through the pages, issuances, and the officers' queue and search among a
// million registrations (ABSAH_LONG=1). It has benchmarks only, and no
// benchmark judges. docs/benchmarks.md keeps the figures.
package bench
