package credential

import "fmt"

// Params are the costs of one guess. They are known by a version, never read
// from a row: who can write the database could otherwise ask for terabytes of
// memory, or for nothing.
type Params struct {
	Time      uint32 // passes of Argon2id, RFC 9106
	MemoryKiB uint32
	Threads   uint8
	// PepperRounds is how often the vault is asked in turn. With a token each
	// costs its time, and no computer of a thief makes up for it.
	PepperRounds int
}

// CurrentParams is the version that new keys get where WithPepperRounds says
// nothing else. Others keep theirs until they are opened the next time.
const CurrentParams = 1

// saltBytes and keyBytes are lengths of the derivation.
const (
	saltBytes = 32
	keyBytes  = 32
)

// knownParams returns the parameters of every version ever used. A version is
// never changed nor taken out: there may be keys of it.
func knownParams() map[int]Params {
	return map[int]Params{
		1: {Time: 3, MemoryKiB: 64 << 10, Threads: 1, PepperRounds: 1},
		// The same with longer chains through the vault: a token makes each
		// round cost what its own processor and its network take.
		2: {Time: 3, MemoryKiB: 64 << 10, Threads: 1, PepperRounds: 50},
		3: {Time: 3, MemoryKiB: 64 << 10, Threads: 1, PepperRounds: 200},
		4: {Time: 3, MemoryKiB: 64 << 10, Threads: 1, PepperRounds: 1000},
		5: {Time: 3, MemoryKiB: 64 << 10, Threads: 1, PepperRounds: 5000},
		6: {Time: 3, MemoryKiB: 64 << 10, Threads: 1, PepperRounds: 20000},
	}
}

// cheapParams is the version of Cheap.
const cheapParams = 1 << 20

// Cheap derives keys at no cost, for tests about all the rest: a passphrase
// protects nothing that it seals. No other Sealer knows the version of such
// keys, so that none ever gets into an installation. Only tests name it, which
// archtest sees to.
func Cheap() Option {
	return func(s *Sealer) {
		s.params[cheapParams] = Params{Time: 1, MemoryKiB: 8, Threads: 1, PepperRounds: 1}
		s.current = cheapParams
	}
}

// maxMemory is the memory of the most expensive derivation in KiB.
func maxMemory(known map[int]Params) int64 {
	var most int64
	for _, p := range known {
		most = max(most, int64(p.MemoryKiB))
	}
	return most
}

func (s *Sealer) paramsOf(version int) (Params, error) {
	p, ok := s.params[version]
	if !ok {
		return Params{}, fmt.Errorf("version %d of the derivation is not known to this program", version)
	}
	return p, nil
}
