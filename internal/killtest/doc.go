// Package killtest shows that nothing that was acknowledged is lost when the
// program is killed. It has tests only.
//
// A child process, the test binary itself, opens a real installation and lets
// many people go their ways at once: submit, check, set passphrases, accept,
// approve, change and reset passphrases, revoke, guess. Before each step it
// writes down what it asks for, and after each what was acknowledged, in a
// journal that survives it. The parent kills it with SIGKILL at random points,
// starts it again, and in the end holds the database, the mails that a server
// outside has received and the certificates against the journals.
//
// ABSAH_KILLS is the number of kills for each database, few when unset;
// ABSAH_SEED repeats the schedule of an earlier run.
package killtest
