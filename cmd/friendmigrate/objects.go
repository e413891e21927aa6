package main

import (
	"context"
	"slices"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/source/objects"
)

// openObjects makes the client for inputs that are objects; nil where none is. It sends nothing.
func (p *program) openObjects(ctx context.Context, c objects.Config, inputs []string, warn func(message string)) (*objects.Store, error) {
	if !slices.ContainsFunc(inputs, objects.IsName) {
		return nil, nil
	}
	c.Env, c.UserAgent, c.Warn = p.env, "friendmigrate/"+programVersion(), warn
	if err := settings.CheckProxies(p.env); err != nil {
		return nil, exit.Because(exit.Unusable, err)
	}
	return await(ctx, p, "--ca-file", func() (*objects.Store, error) { return objects.New(c) })
}
