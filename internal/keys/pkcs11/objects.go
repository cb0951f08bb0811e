//go:build pkcs11 && cgo

package pkcs11

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	p11 "github.com/miekg/pkcs11"
	"golang.org/x/sys/unix"

	"absah/internal/keys"
)

// The objects of the vault have the CKA_LABEL absah/NAME. The CKA_ID says which
// one it is: NAME.VERSION of a secret, NAME of a signing key. An object that is
// being made has a CKA_ID of its own until it is sure to be the only one: a
// token would take two of one CKA_ID, and what one sealed the other does not
// open.
const labelPrefix = "absah/"

var validName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

func secretID(name keys.Name, version int) string {
	return string(name) + "." + strconv.Itoa(version)
}

// claimMark separates the CKA_ID to be from the random part of a claim.
const claimMark = "?"

// search finds objects.
func (v *Vault) search(s p11.SessionHandle, template ...*p11.Attribute) ([]p11.ObjectHandle, error) {
	if err := v.module.lib.FindObjectsInit(s, template); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	var found []p11.ObjectHandle
	for {
		some, _, err := v.module.lib.FindObjects(s, 100)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("search: %w", err), v.module.lib.FindObjectsFinal(s))
		}
		if len(some) == 0 {
			break
		}
		found = append(found, some...)
	}
	if err := v.module.lib.FindObjectsFinal(s); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return found, nil
}

func byID(class uint, id string) []*p11.Attribute {
	return []*p11.Attribute{
		p11.NewAttribute(p11.CKA_CLASS, class), p11.NewAttribute(p11.CKA_TOKEN, true), p11.NewAttribute(p11.CKA_ID, []byte(id)),
	}
}

// object finds the one object of a class and CKA_ID. It fails with
// keys.ErrNoKey.
func (v *Vault) object(c *connection, s p11.SessionHandle, class uint, id string) (p11.ObjectHandle, error) {
	cached := strconv.Itoa(int(class)) + " " + id
	c.mu.Lock()
	h, ok := c.objects[cached]
	c.mu.Unlock()
	if ok {
		return h, nil
	}
	found, err := v.search(s, byID(class, id)...)
	if err != nil {
		return 0, err
	}
	switch len(found) {
	case 0:
		return 0, fmt.Errorf("%s: %w", id, keys.ErrNoKey)
	case 1:
		c.mu.Lock()
		c.objects[cached] = found[0]
		c.mu.Unlock()
		return found[0], nil
	}
	return 0, fmt.Errorf("%s: the token has %d of it", id, len(found))
}

// identifiers gives the CKA_IDs of the objects of a class with the vault's
// label of name, those being made left out.
func (v *Vault) identifiers(s p11.SessionHandle, class uint, name keys.Name) ([]string, error) {
	found, err := v.search(s, p11.NewAttribute(p11.CKA_CLASS, class), p11.NewAttribute(p11.CKA_TOKEN, true), p11.NewAttribute(p11.CKA_LABEL, labelPrefix+string(name)))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, h := range found {
		a, err := v.module.lib.GetAttributeValue(s, h, []*p11.Attribute{p11.NewAttribute(p11.CKA_ID, nil)})
		if is(err, p11.CKR_OBJECT_HANDLE_INVALID) {
			continue // gone since
		}
		if err != nil {
			return nil, fmt.Errorf("read CKA_ID: %w", err)
		}
		out = append(out, string(a[0].Value))
	}
	return out, nil
}

// versions gives the versions of a secret, ascending.
func (v *Vault) versions(s p11.SessionHandle, name keys.Name) ([]int, error) {
	ids, err := v.identifiers(s, p11.CKO_SECRET_KEY, name)
	if err != nil {
		return nil, err
	}
	var out []int
	for _, id := range ids {
		num, ok := strings.CutPrefix(id, string(name)+".")
		if n, err := strconv.Atoi(num); ok && err == nil && n > 0 && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out, nil
}

// fresh is how long the newest version of a secret counts as known. Other
// processes use a new version after so long at the latest.
const fresh = 10 * time.Second

// newestOf gives the newest version of a secret. It fails with keys.ErrNoKey.
func (v *Vault) newestOf(c *connection, s p11.SessionHandle, name keys.Name) (int, error) {
	c.mu.Lock()
	k, ok := c.newest[name]
	c.mu.Unlock()
	if ok && time.Since(k.at) < fresh {
		return k.version, nil
	}
	all, err := v.versions(s, name)
	if err != nil {
		return 0, err
	}
	if len(all) == 0 {
		return 0, fmt.Errorf("%s: %w", name, keys.ErrNoKey)
	}
	c.meet(name, all[len(all)-1])
	return all[len(all)-1], nil
}

// meet notes that a version exists.
func (c *connection) meet(name keys.Name, version int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if version >= c.newest[name].version {
		c.newest[name] = known{version, time.Now()}
	}
}

// The making of an object that must be the only one of its CKA_ID.
const (
	claimTries  = 15 * time.Second
	claimWait   = 100 * time.Millisecond // at most, between two tries
	claimDead   = 5 * time.Second        // a claim that is as old was left by a crash
	claimSettle = 50 * time.Millisecond  // SoftHSM2 does not show others an object while it is being written
)

// exclusive runs f while no other process of this machine makes a key.
func (v *Vault) exclusive(ctx context.Context, f func() error) (err error) {
	if v.lock == "" {
		return f()
	}
	file, err := os.OpenFile(v.lock, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock the token: %w", err)
	}
	defer file.Close() // which unlocks it
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return f()
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return fmt.Errorf("lock the token: %w", err)
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("another process makes a key: %w: %w", keys.ErrUnavailable, ctx.Err())
		}
	}
}

// making is do for what makes keys.
func (v *Vault) making(ctx context.Context, f func(c *connection, s p11.SessionHandle) error) error {
	return v.exclusive(ctx, func() error { return v.do(ctx, f) })
}

// errClaimed says that another makes the same object at this moment.
var errClaimed = errors.New("another makes the same key")

// claim makes an object or a pair of objects that has the CKA_ID id from then
// on, or fails with keys.ErrExists. make makes it with the CKA_ID that it is
// given; class is of the object that counts, first in what make returns.
//
// Whoever finds another claim or the object itself after making his own gives
// his own up, so no two ever are named id.
func (v *Vault) claim(s p11.SessionHandle, name keys.Name, class uint, id string, make func(id string) ([]p11.ObjectHandle, error)) error {
	seen := map[string]time.Time{}
	for begun := time.Now(); time.Since(begun) < claimTries; {
		err := v.claimOnce(s, name, class, id, make, seen)
		if !errors.Is(err, errClaimed) {
			return err
		}
		wait, err := rand.Int(rand.Reader, big.NewInt(int64(claimWait)))
		if err != nil {
			return err
		}
		time.Sleep(time.Duration(wait.Int64()) + time.Millisecond)
	}
	return fmt.Errorf("make %s: %w", id, errClaimed)
}

func (v *Vault) claimOnce(s p11.SessionHandle, name keys.Name, class uint, id string, make func(id string) ([]p11.ObjectHandle, error), seen map[string]time.Time) error {
	if err := v.unclaimed(s, name, class, id, "", seen); err != nil {
		return err // before anything is made: generating is dear
	}
	var nonce [8]byte
	rand.Read(nonce[:]) // never fails (crypto/rand)
	mine := id + claimMark + hex.EncodeToString(nonce[:])
	made, err := make(mine)
	if err != nil {
		return fmt.Errorf("make %s: %w", id, err)
	}
	if err = v.unclaimed(s, name, class, id, mine, seen); err == nil {
		time.Sleep(claimSettle)
		err = v.unclaimed(s, name, class, id, mine, seen)
	}
	if err == nil {
		for _, h := range slices.Backward(made) { // the one that counts last
			if err = v.module.lib.SetAttributeValue(s, h, []*p11.Attribute{p11.NewAttribute(p11.CKA_ID, []byte(id))}); err != nil {
				err = fmt.Errorf("name %s: %w", id, err)
				break
			}
		}
	}
	if err == nil {
		return nil
	}
	for _, h := range made {
		if destroyed := v.module.lib.DestroyObject(s, h); destroyed != nil {
			err = errors.Join(err, fmt.Errorf("destroy a key that is not used: %w", destroyed))
		}
	}
	return err
}

// unclaimed fails with keys.ErrExists when id exists, and with errClaimed when
// others than mine are about to make it. Claims that crashes left it removes.
func (v *Vault) unclaimed(s p11.SessionHandle, name keys.Name, class uint, id, mine string, seen map[string]time.Time) error {
	ids, err := v.identifiers(s, class, name)
	if err != nil {
		return err
	}
	for _, other := range ids {
		switch {
		case other == id:
			return fmt.Errorf("%s: %w", id, keys.ErrExists)
		case other == mine || !strings.HasPrefix(other, id+claimMark):
			continue
		}
		first, ok := seen[other]
		if !ok {
			seen[other] = time.Now()
			first = seen[other]
		}
		if time.Since(first) < claimDead {
			return errClaimed
		}
		if err := v.sweep(s, other); err != nil {
			return err
		}
	}
	return nil
}

// sweep removes what a crash left.
func (v *Vault) sweep(s p11.SessionHandle, id string) error {
	found, err := v.search(s, p11.NewAttribute(p11.CKA_TOKEN, true), p11.NewAttribute(p11.CKA_ID, []byte(id)))
	if err != nil {
		return err
	}
	for _, h := range found {
		if err := v.module.lib.DestroyObject(s, h); err != nil {
			return fmt.Errorf("remove what a crash left: %w", err)
		}
	}
	return nil
}
