package main

import (
	"context"

	"friendmigrate/cmd/friendmigrate/export"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/migrate/disk"
)

func (p *program) exportAction(ctx context.Context, in invocation) error {
	j := &job.Job{Program: &p.Program, Set: in.Settings, FS: disk.OS{}}
	j.Begin("export", in.MaxDuration)
	if err := j.Ready(ctx); err != nil {
		return err
	}
	return p.end(export.Do(ctx, j, p.Reads(in.values, nil, "")))
}
