// Package account knows who may enter: accounts, passwords, second factors,
// sessions, one-time links and roles.
//
// Everything that opens a door is stored as a hash only, works once where it
// can, and is counted before it is tried, so that neither a restart nor a race
// gives one more guess.
package account
