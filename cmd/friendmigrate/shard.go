package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"friendmigrate/cmd/friendmigrate/exit"
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

// beside is a state folder next to another one.
func beside(state, suffix string) string {
	state = filepath.Clean(state)
	switch filepath.Base(state) {
	case ".", "..", string(filepath.Separator):
		return filepath.Join(state, settings.DefaultState) // whose name says nothing
	}
	return state + suffix
}

// freeName is a file next to another one that is not there yet.
func freeName(name string) string {
	dir, base := filepath.Split(name)
	stem, endings, dotted := strings.Cut(base, ".")
	if dotted {
		endings = "." + endings
	}
	for n := 2; ; n++ {
		other := dir + stem + "-" + strconv.Itoa(n) + endings
		if _, err := os.Lstat(other); err != nil {
			return other
		}
	}
}

// reads are the files and folders that a command reads.
func (p *program) reads(c *cli.Command, inputs []string, format string) *folder.Reads {
	r := &folder.Reads{Format: format}
	for _, in := range inputs {
		r.Add("INPUT", in, p.std.in)
	}
	r.Files(p.values(c), p.std.in)
	return r
}

// refused is the error of a command that would write over a file, and hint the command that does not.
func refused(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &exit.Error{Code: exit.Unusable, Err: fmt.Errorf("%w; nothing was written", err), Hint: hint}
}
