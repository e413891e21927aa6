package main

import (
	"context"
)

func (p *program) undoAction(ctx context.Context, in invocation) error {
	return p.end(p.Undo(ctx, in.Settings, in.values))
}
