package app

import (
	"crypto/fips140"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"

	"absah/internal/apidoc"
	"absah/internal/ca"
	"absah/internal/enrolment"
	"absah/internal/metrics"
	"absah/internal/store"
)

// Doors through which requests come, as metrics call them.
const (
	doorPortal = "portal"
	doorREST   = "rest"  // /api/v1
	doorESign  = "esign" // eSign Client Service
	doorCSC    = "csc"
	doorSCIM   = "scim"
	doorOCSP   = "ocsp"
	doorPKI    = "pki" // CRLs, certificates, practice statement
	doorLog    = "log"
	doorTSA    = "tsa"
	doorHealth = "health"
)

// catalogue is everything that this process tells, in the order in which it is
// told. docs/operations.md explains each.
type catalogue struct {
	all []*metrics.Family

	up, build, role                             *metrics.Family
	requests, durations                         *metrics.Family
	jobs, jobsOldest                            *metrics.Family
	mails, registrations, deliveries            *metrics.Family
	issued, revoked                             *metrics.Family
	crlThis, crlNext, crlEntries                *metrics.Family
	ocsp, timestamps, clockState, clockOffset   *metrics.Family
	signatures, seals, activations, windows     *metrics.Family
	guesses                                     *metrics.Family
	dataFree, blobsFree                         *metrics.Family
	backup, check, checkProblems                *metrics.Family
	logCheckpoint, logSize, logIntact           *metrics.Family
	goroutines, heap, memory, collections       *metrics.Family
	processCPU, resident, processStart, openFDs *metrics.Family
}

func (c *catalogue) add(kind metrics.Type, name, help string, labels ...metrics.Label) *metrics.Family {
	f := &metrics.Family{Name: name, Help: help, Type: kind, Labels: labels}
	c.all = append(c.all, f)
	return f
}

func label(name string, values ...string) metrics.Label {
	return metrics.Label{Name: name, Values: values}
}

// clockStates are what is known of the clock of timestamps.
var clockStates = []string{"confirmed", "unguarded", "unconfirmed", "stepped", "backwards", "leap_second"}

// catalogue declares all metrics with every value of their labels.
func (a *App) catalogue(parts []string) *catalogue {
	version, goVersion, fips := built()
	var roles []string
	for _, r := range Roles() {
		roles = append(roles, string(r))
	}
	issuer := label("issuer", slices.Sorted(maps.Keys(a.authorities()))...)
	uses := label("state", "intended", "made", "lost")

	c := &catalogue{}
	c.up = c.add(metrics.Gauge, "absah_up", "Whether a part could be asked: 1, or 0 and its metrics are missing.", label("part", parts...))
	c.build = c.add(metrics.Gauge, "absah_build_info", "Always 1; its labels say what runs.", label("version", version), label("goversion", goVersion), label("fips", fips))
	c.role = c.add(metrics.Gauge, "absah_role_info", "Always 1, for every role of this process.", label("role", roles...))
	doors := label("door", doorPortal, doorREST, doorESign, doorCSC, doorSCIM, doorOCSP, doorPKI, doorLog, doorTSA, doorHealth)
	c.requests = c.add(metrics.Counter, "absah_http_requests_total", "Requests answered, by door, route as it was registered, and class of status.",
		doors, label("route", a.knownRoutes()...), label("class", "1xx", "2xx", "3xx", "4xx", "5xx", "aborted"))
	c.durations = c.add(metrics.Histogram, "absah_http_request_duration_seconds", "Time to the end of the answer; live pages are left out.", doors)
	c.jobs = c.add(metrics.Gauge, "absah_jobs", "Jobs in the queue, by kind and state; kinds without jobs are missing.", label("kind", a.jobKinds()...), label("state", store.JobStates()...))
	c.jobsOldest = c.add(metrics.Gauge, "absah_jobs_oldest_waiting_seconds", "How long the job that is due longest has waited; 0 without one.")
	c.mails = c.add(metrics.Gauge, "absah_mails", "Mails by state.", label("state", mailStates...))
	c.registrations = c.add(metrics.Gauge, "absah_registrations", "Registrations by status.", label("status", registrationStates()...))
	c.deliveries = c.add(metrics.Gauge, "absah_webhook_deliveries", "Deliveries of webhooks by state, within their retention.", label("state", deliveryStates...))
	c.issued = c.add(metrics.Counter, "absah_certificates_issued_total", "Certificates of subscribers that were issued.", issuer)
	c.revoked = c.add(metrics.Gauge, "absah_certificates_revoked", "Of them, those revoked or suspended now.", issuer)
	c.crlThis = c.add(metrics.Gauge, "absah_crl_this_update_timestamp_seconds", "thisUpdate of the newest complete CRL.", issuer)
	c.crlNext = c.add(metrics.Gauge, "absah_crl_next_update_timestamp_seconds", "nextUpdate of the newest complete CRL.", issuer)
	c.crlEntries = c.add(metrics.Gauge, "absah_crl_entries", "Entries of the newest complete CRL.", issuer)
	c.ocsp = c.add(metrics.Counter, "absah_ocsp_answers_total", "OCSP answers: signed beforehand, signed for the request, or an error.", label("kind", "stored", "live", "failed"))
	c.timestamps = c.add(metrics.Counter, "absah_timestamps_total", "Requests for a timestamp by result.", label("result", "issued", "refused"))
	c.clockState = c.add(metrics.Gauge, "absah_clock_state", "1 for the state in which the clock of timestamps is; none are issued but in confirmed and unguarded.", label("state", clockStates...))
	c.clockOffset = c.add(metrics.Gauge, "absah_clock_offset_seconds", "Offset from UTC at the last confirmation of the clock; missing before one.")
	c.signatures = c.add(metrics.Gauge, "absah_signatures", "Signatures of subscribers by state.", uses)
	c.seals = c.add(metrics.Gauge, "absah_seal_uses", "Uses of institutions' seals by state.", uses)
	c.activations = c.add(metrics.Gauge, "absah_activations_open", "Activations of keys that have not ended.")
	c.windows = c.add(metrics.Gauge, "absah_activation_windows_open", "Activation windows for applications that have not ended.")
	c.guesses = c.add(metrics.Counter, "absah_passphrase_tests_total", "Passphrases that were tested, by result.", label("result", "right", "wrong"))
	c.dataFree = c.add(metrics.Gauge, "absah_data_free_bytes", "Free space where the data directory is.")
	c.blobsFree = c.add(metrics.Gauge, "absah_blob_store_free_bytes", "Free space where scans and documents are; missing for S3.")
	c.backup = c.add(metrics.Gauge, "absah_backup_timestamp_seconds", "As of when the last backup from this data directory is; missing before the first.")
	c.check = c.add(metrics.Gauge, "absah_check_timestamp_seconds", "When the last nightly check began that ended or found something; missing before the first.")
	c.checkProblems = c.add(metrics.Gauge, "absah_check_problems", "Problems that it found.")
	c.logCheckpoint = c.add(metrics.Gauge, "absah_log_checkpoint_timestamp_seconds", "When the last checkpoint of the transparency log was signed.")
	c.logSize = c.add(metrics.Gauge, "absah_log_size", "Acts in the log at that checkpoint.")
	c.logIntact = c.add(metrics.Gauge, "absah_log_intact", "Whether the last verification of the log found it whole.", label("kind", "tail", "whole"))
	c.goroutines = c.add(metrics.Gauge, "go_goroutines", "Goroutines.")
	c.heap = c.add(metrics.Gauge, "go_memory_heap_objects_bytes", "Memory of live objects and of those not collected yet.")
	c.memory = c.add(metrics.Gauge, "go_memory_total_bytes", "Memory mapped by the Go run time.")
	c.collections = c.add(metrics.Counter, "go_gc_cycles_total", "Garbage collections.")
	c.processCPU = c.add(metrics.Counter, "process_cpu_seconds_total", "Processor time, without child processes.")
	c.resident = c.add(metrics.Gauge, "process_resident_memory_bytes", "Memory in use.")
	c.processStart = c.add(metrics.Gauge, "process_start_time_seconds", "When the process began to serve.")
	c.openFDs = c.add(metrics.Gauge, "process_open_fds", "Open files and connections.")
	return c
}

var (
	mailStates     = []string{"queued", "sent", "refused", "given_up", "cancelled"}
	deliveryStates = []string{"queued", "delivered", "failed", "cancelled"}
)

func registrationStates() (out []string) {
	for _, s := range enrolment.Statuses {
		out = append(out, string(s))
	}
	return out
}

// jobKinds are all kinds of jobs, also those of other processes.
func (a *App) jobKinds() []string {
	kinds := a.handlers()
	maps.Copy(kinds, a.authorityJobs())
	return slices.Sorted(maps.Keys(kinds))
}

// knownRoutes are the patterns of the pages and of /api/v1, as they were
// registered. Requests of other doors are counted under the door alone.
func (a *App) knownRoutes() []string {
	if !a.has(RolePortal) {
		return nil
	}
	var out []string
	for _, list := range a.routes() {
		for _, r := range list {
			out = append(out, r.Pattern())
		}
	}
	if doc, err := apidoc.Load(); err == nil { // otherwise there is no Handler either
		for _, o := range doc.Operations {
			out = append(out, o.Method+" "+apidoc.Base+o.Path)
		}
	}
	return out
}

// built says what program this is.
func built() (version, goVersion, fips string) {
	version, fips = "development", "off"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		version = info.Main.Version
	}
	if fips140.Enabled() {
		fips = "on"
	}
	return version, runtime.Version(), fips
}

// crlIssuers are those whose lists are watched.
func (a *App) crlIssuers() []string {
	names := []string{string(ca.RootCA)}
	for _, c := range a.Hierarchy.IssuingCAs() {
		names = append(names, c.Name)
	}
	return names
}
