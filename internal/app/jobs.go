package app

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"absah/internal/ca"
	"absah/internal/enrolment"
	"absah/internal/outbox"
	"absah/internal/reseal"
	"absah/internal/signing"
	"absah/internal/staff"
	"absah/internal/store"
)

// Periodic jobs of the worker and ca roles.
const (
	jobWarn   = "enrolment.warn"   // links and certificates about to expire, certificates expired
	jobDigest = "enrolment.digest" // what waits for officers, once a working day
	jobUpkeep = "ca.upkeep"        // CRLs and the OCSP responder's certificate
	jobMail   = "mail.overdue"     // mails that lost their job
	jobSweep  = "account.sweep"    // sessions that ended
)

// handlers are the jobs of this process: those of the worker, and those whose
// kind begins with the name of another role.
func (a *App) handlers() map[string]store.Handler {
	all := map[string]store.Handler{}
	if a.has(RoleWorker) {
		maps.Copy(all, a.workerJobs())
		maps.Copy(all, a.logHandlers())
		maps.Copy(all, a.privacyHandlers())
		maps.Copy(all, a.lifeHandlers())
		maps.Copy(all, a.webhookHandlers())
		maps.Copy(all, a.sealHandlers())
	}
	if a.has(RoleCA) {
		maps.Copy(all, a.authorityJobs())
	}
	return all
}

// authorityJobs are those of the ca role.
func (a *App) authorityJobs() map[string]store.Handler {
	return map[string]store.Handler{
		enrolment.JobIssue:      a.Authority.IssueJob,
		enrolment.JobPublishCRL: a.Authority.PublishCRL,
		ca.JobCheck:             a.Authority.CheckJob,
		ca.JobSeal:              a.Authority.SealJob,
		jobUpkeep:               func(ctx context.Context, _ string) error { return a.Authority.Upkeep(ctx) },
	}
}

func (a *App) workerJobs() map[string]store.Handler {
	return map[string]store.Handler{
		outbox.JobSend:        a.Outbox.Deliver,
		enrolment.JobIncident: a.Enrolment.RunIncident,
		enrolment.JobLockOut:  a.Enrolment.LockOut,
		staff.ImportJobKind:   a.Staff.ImportJob,
		staff.SweepJob:        a.Staff.Sweep,
		signing.JobSweep:      a.Signing.Sweep,
		signing.JobRemind:     a.Signing.RemindAll,
		signing.JobRecover:    a.Signing.Recover,
		signing.JobBulk:       a.Signing.BulkJob,
		signing.JobBulkSweep:  a.Signing.SweepBulks,
		jobWarn: func(ctx context.Context, _ string) error {
			_, err := a.Enrolment.WarnOfExpiry(ctx)
			_, _, err2 := a.Enrolment.ExpireCertificates(ctx)
			_, err3 := a.Enrolment.RevokeLeavers(ctx)
			return errors.Join(err, err2, err3)
		},
		jobDigest: func(ctx context.Context, _ string) error {
			_, err := a.Enrolment.TellOfficers(ctx)
			return err
		},
		jobMail: func(ctx context.Context, _ string) error {
			_, err := a.Outbox.Overdue(ctx)
			return err
		},
		reseal.Job: func(ctx context.Context, _ string) error { return a.resealing().Run(ctx) },
		jobSweep: func(ctx context.Context, _ string) error {
			return errors.Join(a.Accounts.Sweep(ctx), a.sweepPrograms(ctx))
		},
		staff.ForgetJobKind: a.Staff.ForgetImports,
	}
}

var periodics = []store.Periodic{
	{Kind: jobWarn, Every: 10 * time.Minute},
	{Kind: jobDigest, Every: 15 * time.Minute},
	{Kind: jobUpkeep, Every: time.Minute},
	{Kind: ca.JobCheck, Every: time.Hour},
	{Kind: jobMail, Every: 5 * time.Minute},
	{Kind: jobSweep, Every: time.Hour},
	{Kind: reseal.Job, Every: 10 * time.Minute},
	{Kind: signing.JobRecover, Every: time.Minute},
	{Kind: signing.JobRemind, Every: time.Hour},
	{Kind: signing.JobBulkSweep, Every: 6 * time.Hour},
	{Kind: staff.ForgetJobKind, Every: time.Hour},
}

// Work starts what of the worker and ca roles this process has; nil when it is
// nothing.
func (a *App) Work(ctx context.Context) (*store.Worker, error) {
	if !a.has(RoleWorker, RoleCA) {
		return nil, nil
	}
	return a.Store.Work(ctx, a.handlers(), slices.Concat(periodics, logPeriodics, privacyPeriodics, lifePeriodics, webhookPeriodics, sealPeriodics), store.WorkOptions{
		Authority: a.Config.CA.AtOnce, Timeout: 5 * time.Minute, Rescue: 6 * time.Minute,
	})
}
