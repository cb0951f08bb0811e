package tsa

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Sample is what one NTP server says of the machine's clock.
type Sample struct {
	Offset time.Duration // what has to be added to the machine's clock
	Error  time.Duration // the true offset lies within Offset ± Error
	Leap   int           // +1 or -1: a second is put in or left out at the end of this UTC day
}

var (
	// ErrNTP says that a server's answer cannot be used.
	ErrNTP = errors.New("unusable NTP answer")
	// errKiss is a server's wish not to be asked (RFC 5905 7.4).
	errKiss = fmt.Errorf("%w: the server refuses", ErrNTP)
)

const (
	ntpPort   = "123"
	ntpLength = 48
	// ntpEpoch is 1900 in Unix seconds.
	ntpEpoch = -2208988800
	// maxRoot bounds root delay and dispersion; a server that is worse knows the
	// time no better than we do.
	maxRoot = time.Second
)

// Query asks one server for the time by SNTP (RFC 4330 5, the client's part of
// RFC 5905). server is HOST or HOST:PORT. The request carries a random number in
// place of our time, so an answer that does not repeat it is no answer to us.
func Query(ctx context.Context, server string, wall func() time.Time, mono func() time.Duration) (Sample, error) {
	if _, _, err := net.SplitHostPort(server); err != nil {
		server = net.JoinHostPort(server, ntpPort)
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "udp", server)
	if err != nil {
		return Sample{}, fmt.Errorf("ask %s for the time: %w", server, err)
	}
	defer func() { _ = conn.Close() }()
	if at, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(at); err != nil {
			return Sample{}, fmt.Errorf("ask %s for the time: %w", server, err)
		}
	}
	s, err := exchange(conn, wall, mono)
	if err != nil {
		return Sample{}, fmt.Errorf("ask %s for the time: %w", server, err)
	}
	return s, nil
}

func exchange(conn io.ReadWriter, wall func() time.Time, mono func() time.Duration) (Sample, error) {
	request := make([]byte, ntpLength)
	request[0] = 4<<3 | 3 // version 4, client
	if _, err := rand.Read(request[40:48]); err != nil {
		return Sample{}, err
	}
	sent, since := wall(), mono()
	if _, err := conn.Write(request); err != nil {
		return Sample{}, err
	}
	answer := make([]byte, 512)
	for {
		n, err := conn.Read(answer)
		if err != nil {
			return Sample{}, err
		}
		took := mono() - since
		if n < ntpLength || string(answer[24:32]) != string(request[40:48]) {
			continue // somebody else's, or forged
		}
		return read(answer[:n], sent, took)
	}
}

// read judges an answer to a request that was sent at a time of the machine's
// clock and took so long.
func read(b []byte, sent time.Time, took time.Duration) (Sample, error) {
	leap, version, mode, stratum := b[0]>>6, b[0]>>3&7, b[0]&7, b[1]
	switch {
	case mode != 4 || version < 3 || version > 4:
		return Sample{}, fmt.Errorf("%w: mode %d, version %d", ErrNTP, mode, version)
	case stratum == 0:
		return Sample{}, errKiss
	case leap == 3 || stratum > 15:
		return Sample{}, fmt.Errorf("%w: the server is not synchronised", ErrNTP)
	}
	rootDelay, rootDispersion := ntpShort(b[4:]), ntpShort(b[8:])
	received, transmitted := ntpTime(b[32:]), ntpTime(b[40:])
	if received.IsZero() || transmitted.IsZero() || rootDelay > maxRoot || rootDispersion > maxRoot {
		return Sample{}, fmt.Errorf("%w: no time, or a bad one", ErrNTP)
	}
	served := transmitted.Sub(received)
	if served < 0 || served > took {
		return Sample{}, fmt.Errorf("%w: answered before it was asked", ErrNTP)
	}
	// By the monotonic clock: a step of the machine's clock in between has no part in it.
	delay := took - served
	s := Sample{Offset: received.Sub(sent) - delay/2, Error: delay/2 + rootDelay/2 + rootDispersion}
	switch leap {
	case 1:
		s.Leap = 1
	case 2:
		s.Leap = -1
	}
	return s, nil
}

func ntpShort(b []byte) time.Duration {
	return time.Duration(binary.BigEndian.Uint32(b)) * time.Second >> 16
}

// ntpTime reads a timestamp; era 1 begins in 2036 (RFC 4330 3).
func ntpTime(b []byte) time.Time {
	seconds, fraction := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if seconds == 0 && fraction == 0 {
		return time.Time{}
	}
	s := int64(seconds) + ntpEpoch
	if seconds < 1<<31 {
		s += 1 << 32
	}
	return time.Unix(s, int64(fraction)*1e9>>32).UTC()
}
