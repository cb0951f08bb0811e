// Package archtest holds the house rules that a program can check: the
// direction of dependencies, names of packages, length of files, no init. It
// has tests only. docs/architecture.md draws what they hold.
package archtest
