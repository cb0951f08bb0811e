package store

import "context"

// ApplyOne applies one migration, whatever was applied before.
func (s *Store) ApplyOne(ctx context.Context, version int64) error {
	p, err := s.provider()
	if err != nil {
		return err
	}
	_, err = p.ApplyVersion(ctx, version, true)
	return err
}

// MigrationVersions lists the versions of all migrations.
func (s *Store) MigrationVersions() ([]int64, error) {
	p, err := s.provider()
	if err != nil {
		return nil, err
	}
	var all []int64
	for _, src := range p.ListSources() {
		all = append(all, src.Version)
	}
	return all, nil
}
