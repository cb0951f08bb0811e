package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// newsChannel is PostgreSQL's channel on which processes tell each other what
// open pages wait for.
const newsChannel = "absah_news"

// newsAgain is how long Hear waits before it connects again.
const newsAgain = time.Second

// Tell passes keys on to the other processes on a PostgreSQL database that Hear
// them; from is the name of this one, which does not hear itself. Nothing is
// kept for who does not listen. On SQLite there is nobody to tell.
func (s *Store) Tell(ctx context.Context, from string, keys []string) error {
	if s.pool == nil || len(keys) == 0 {
		return nil
	}
	if _, err := s.pool.Exec(ctx, `select pg_notify($1, $2 || ' ' || k) from unnest($3::text[]) k`, newsChannel, from, keys); err != nil {
		return fmt.Errorf("tell the other processes: %w", err)
	}
	return nil
}

// Hear calls heard with every key that another process than the one named self
// tells, until ctx ends. It connects again when the connection breaks; began is
// called whenever it listens, after a time in which news may have been missed.
// On SQLite it returns at once.
func (s *Store) Hear(ctx context.Context, self string, began func(), heard func(key string)) {
	if s.pool == nil {
		return
	}
	for ctx.Err() == nil {
		err := s.hear(ctx, self, began, heard)
		if ctx.Err() != nil {
			return
		}
		s.log.WarnContext(ctx, "news of other processes cannot be heard now", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(newsAgain):
		}
	}
}

func (s *Store) hear(ctx context.Context, self string, began func(), heard func(key string)) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return fmt.Errorf("listen for news: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // it was only read from
	if _, err := conn.Exec(ctx, "listen "+newsChannel); err != nil {
		return fmt.Errorf("listen for news: %w", err)
	}
	began()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("listen for news: %w", err)
		}
		if from, key, ok := strings.Cut(n.Payload, " "); ok && from != self {
			heard(key)
		}
	}
}
