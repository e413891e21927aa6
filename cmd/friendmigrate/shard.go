package main

import (
	"path/filepath"
	"slices"
	"strings"

	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/invocation"
	"friendmigrate/cmd/friendmigrate/settings"
)

// nameShard puts the share that variables told into the command line, so that hints work where these are not set.
func (p *program) nameShard(s settings.Shard) {
	if s.Count > 0 && !currentLine(p.args).Has("shard") {
		p.args = slices.Insert(slices.Clone(p.args), 2, "--shard", s.String())
	}
}

// followUp is the command of a list as a job of its own, with its own state folder. It takes the whole list, whose rows need not belong to the shard that wrote it,
// and each shard's list has another folder.
func (p *program) followUp(l invocation.Line, job settings.Job, suffix string) invocation.Line {
	state := beside(job.State, suffix)
	if job.Shard.Count == 0 {
		return l.With("state", state)
	}
	state += strings.TrimPrefix(filepath.Base(folder.Of("", job.Shard)), "shard")
	l = l.Without("shard")
	if settings.ShardByVariable(p.env) {
		l = l.With("shard", "0/1")
	}
	return l.With("state", state)
}
