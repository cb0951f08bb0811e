package seal

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"absah/internal/apiclient"
	"absah/internal/clock"
	"absah/internal/signing"
	"absah/internal/store"
	"absah/internal/store/db"
)

// Seal is a seal as pages show it.
type Seal struct {
	ID, Name, Organisation, OrganisationID string
	State                                  string
	Serial                                 string // of the certificate in use
	From, Until                            time.Time
	CreatedAt                              time.Time
}

// Keeper is somebody who keeps a seal.
type Keeper struct {
	EmployeeID, Name, NIP, Office string
	Active                        bool // still an employee
	Since                         time.Time
}

// OrderView is an order with the names of those concerned.
type OrderView struct {
	ID, Kind, State    string
	Keeper             string // name
	Note, Reason       string
	ReasonCode         int
	Proposer, Decider  string // names
	ProposedBy         string // account
	ProposedAt, Decide time.Time
	Problem            string
	Serial             string
}

// Window is a window with the names of those concerned.
type Window struct {
	ID, State, Client   string
	Requester, Opener   string // names
	RequestedBy         string // employee
	AskedAt, At         time.Time
	Lasts               time.Duration
	Documents, Used     int
	OpenedAt, ExpiresAt time.Time
	EndedAt             time.Time
	Over                bool // its time is over, or it was ended
}

func at(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return clock.FromMicros(micros)
}

func (s *Service) view(ctx context.Context, row db.Seal) (Seal, error) {
	v := Seal{
		ID: row.ID, Name: row.Name, Organisation: row.Organisation, OrganisationID: row.OrganisationID, State: row.State, Serial: row.Serial, CreatedAt: at(row.CreatedAt),
	}
	if row.Serial == "" {
		return v, nil
	}
	c, err := s.Store.Read().AuthorityCertificate(ctx, row.Serial)
	if err != nil {
		return v, fmt.Errorf("read certificate of seal: %w", err)
	}
	v.From, v.Until = at(c.NotBefore), at(c.NotAfter)
	return v, nil
}

// Seals lists all seals.
func (s *Service) Seals(ctx context.Context) ([]Seal, error) {
	rows, err := s.Store.Read().Seals(ctx)
	return s.views(ctx, rows, err)
}

// SealsOf lists the seals that an employee keeps.
func (s *Service) SealsOf(ctx context.Context, employeeID string) ([]Seal, error) {
	rows, err := s.Store.Read().SealsOfKeeper(ctx, employeeID)
	return s.views(ctx, rows, err)
}

func (s *Service) views(ctx context.Context, rows []db.Seal, err error) ([]Seal, error) {
	if err != nil {
		return nil, fmt.Errorf("list seals: %w", err)
	}
	out := make([]Seal, len(rows))
	for i, r := range rows {
		if out[i], err = s.view(ctx, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Seal returns a seal, or ErrNotFound.
func (s *Service) Seal(ctx context.Context, id string) (Seal, error) {
	row, err := s.Store.Read().GetSeal(ctx, id)
	if store.IsNotFound(err) {
		return Seal{}, ErrNotFound
	}
	if err != nil {
		return Seal{}, fmt.Errorf("read seal: %w", err)
	}
	return s.view(ctx, row)
}

// SealOf returns a seal that an employee keeps, or ErrNotFound.
func (s *Service) SealOf(ctx context.Context, employeeID, id string) (Seal, error) {
	if is, err := isKeeper(ctx, s.Store.Read(), id, employeeID); err != nil || !is {
		return Seal{}, orNotFound(err)
	}
	return s.Seal(ctx, id)
}

// Keepers lists who keeps a seal.
func (s *Service) Keepers(ctx context.Context, id string) ([]Keeper, error) {
	rows, err := s.Store.Read().SealKeepers(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("list keepers: %w", err)
	}
	out := make([]Keeper, len(rows))
	for i, r := range rows {
		out[i] = Keeper{EmployeeID: r.EmployeeID, Name: r.Name, NIP: r.Nip, Office: r.Office, Active: r.Active, Since: at(r.Since)}
	}
	return out, nil
}

// Orders lists the orders about a seal, the newest first.
func (s *Service) Orders(ctx context.Context, id string) ([]OrderView, error) {
	rows, err := s.Store.Read().SealOrders(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	out := make([]OrderView, len(rows))
	for i, r := range rows {
		out[i] = OrderView{
			ID: r.ID, Kind: r.Kind, State: r.State, Keeper: r.Subject, Note: r.Note, Reason: r.Reason, ReasonCode: int(r.ReasonCode), Proposer: r.Proposer, Decider: r.Decider,
			ProposedBy: r.ProposedBy, ProposedAt: at(r.ProposedAt), Decide: at(r.DecidedAt), Problem: r.Problem, Serial: r.Serial,
		}
	}
	return out, nil
}

// Waiting counts the orders that wait for a second administrator.
func (s *Service) Waiting(ctx context.Context) (int, error) {
	n, err := s.Store.Read().CountOpenSealOrders(ctx)
	if err != nil {
		return 0, fmt.Errorf("count orders: %w", err)
	}
	return int(n), nil
}

// WaitingFor counts the requests that an employee may release.
func (s *Service) WaitingFor(ctx context.Context, employeeID string) (int, error) {
	n, err := s.Store.Read().CountSealRequestsFor(ctx, db.CountSealRequestsForParams{EmployeeID: employeeID, Now: clock.Micros(s.now())})
	if err != nil {
		return 0, fmt.Errorf("count requests: %w", err)
	}
	return int(n), nil
}

// Windows lists the windows of a seal, the newest first.
func (s *Service) Windows(ctx context.Context, id string) ([]Window, error) {
	rows, err := s.Store.Read().SealWindows(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("list windows: %w", err)
	}
	out := make([]Window, len(rows))
	for i, r := range rows {
		out[i] = Window{
			ID: r.ID, State: r.State, Client: r.Client, Requester: r.Requester, Opener: r.Opener, RequestedBy: r.RequestedBy.String, AskedAt: at(r.AskedAt), At: at(r.RequestedAt),
			Lasts: time.Duration(r.Lasts) * time.Microsecond, Documents: int(r.Documents), Used: int(r.Used), OpenedAt: at(r.OpenedAt), ExpiresAt: at(r.ExpiresAt), EndedAt: at(r.EndedAt),
		}
		out[i].Over = r.State == Closed || r.State == "refused" || r.State == Opened && r.ExpiresAt <= clock.Micros(s.now())
	}
	return out, nil
}

// ClientsOf lists the applications that may seal.
func (s *Service) ClientsOf(ctx context.Context) ([]apiclient.Client, error) {
	all, err := s.Clients.List(ctx)
	if err != nil {
		return nil, err
	}
	var out []apiclient.Client
	for _, c := range all {
		if c.Enabled && !c.Sandbox && c.May(apiclient.Seal) {
			out = append(out, c)
		}
	}
	return out, nil
}

// RequestView is a request with the names of those concerned.
type RequestView struct {
	ID, SealID, Seal       string
	State                  string
	RequestedBy, Requester string // employee, name
	Decider                string // name
	RequestedAt, ExpiresAt time.Time
	DecidedAt, EndedAt     time.Time
	Note, Reason           string
	Digest                 []byte
	Count                  int
	Items                  []ItemView // of one that was asked for by its id
}

// Open tells whether the request waits for a decision at that time.
func (r RequestView) Open(now time.Time) bool { return r.State == Open && now.Before(r.ExpiresAt) }

// DigestText is the digest in hexadecimal.
func (r RequestView) DigestText() string { return hex.EncodeToString(r.Digest) }

// ItemView is one document of a request.
type ItemView struct {
	Document, Name string
	Version        int64
	Digest         []byte
	Request        signing.Request
	State, Problem string
	At             time.Time
}

// Requests lists what an employee asked for, and what others asked of the seals
// that he keeps, the newest first.
func (s *Service) Requests(ctx context.Context, employeeID string) ([]RequestView, error) {
	rows, err := s.Store.Read().SealRequestsOfKeeper(ctx, employeeID)
	if err != nil {
		return nil, fmt.Errorf("list requests: %w", err)
	}
	out := make([]RequestView, len(rows))
	for i, r := range rows {
		out[i] = RequestView{
			ID: r.ID, SealID: r.SealID, Seal: r.SealName, State: r.State, RequestedBy: r.RequestedBy, Requester: r.Requester, RequestedAt: at(r.RequestedAt),
			ExpiresAt: at(r.ExpiresAt), DecidedAt: at(r.DecidedAt), EndedAt: at(r.EndedAt), Note: r.Note, Reason: r.Reason, Digest: r.Digest, Count: int(r.Items),
		}
	}
	return out, nil
}

// Show returns a request of a seal that an employee keeps, or that he made
// himself, with its documents. It fails with ErrNotFound.
func (s *Service) Show(ctx context.Context, employeeID, id string) (RequestView, error) {
	q := s.Store.Read()
	r, err := q.GetSealRequest(ctx, id)
	if store.IsNotFound(err) {
		return RequestView{}, ErrNotFound
	}
	if err != nil {
		return RequestView{}, fmt.Errorf("read request: %w", err)
	}
	if r.RequestedBy != employeeID {
		if is, err := isKeeper(ctx, q, r.SealID, employeeID); err != nil || !is {
			return RequestView{}, orNotFound(err)
		}
	}
	v := RequestView{
		ID: r.ID, SealID: r.SealID, Seal: r.SealName, State: r.State, RequestedBy: r.RequestedBy, Requester: r.Requester, Decider: r.Decider, RequestedAt: at(r.RequestedAt),
		ExpiresAt: at(r.ExpiresAt), DecidedAt: at(r.DecidedAt), EndedAt: at(r.EndedAt), Note: r.Note, Reason: r.Reason, Digest: r.Digest,
	}
	items, err := q.SealItems(ctx, id)
	if err != nil {
		return v, fmt.Errorf("read items of request: %w", err)
	}
	for _, i := range items {
		request, err := signing.ParseRequest(i.Request)
		if err != nil {
			return v, err
		}
		v.Items = append(v.Items, ItemView{
			Document: i.DocumentID, Name: i.Name, Version: i.Version, Digest: i.Digest, Request: request, State: i.State, Problem: i.Problem, At: at(i.FinishedAt),
		})
	}
	v.Count = len(v.Items)
	return v, nil
}
