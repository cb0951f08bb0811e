package main

import (
	"context"
	"fmt"

	"absah/internal/app"
)

type caCmd struct {
	Split splitCmd `cmd:"" help:"Make a data directory for every role, each with its own keys alone."`
}

type splitCmd struct {
	Into string `arg:"" help:"Directory below which they are made." type:"path"`
}

// Run divides an installation whose parts shall run apart.
func (s *splitCmd) Run(_ context.Context, c *cli) error {
	cfg, _, err := c.load()
	if err != nil {
		return err
	}
	made, err := app.Split(cfg, s.Into)
	for _, dir := range made {
		fmt.Println(dir)
	}
	return err
}
