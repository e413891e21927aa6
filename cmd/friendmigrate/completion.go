package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/settings"
)

// complete prints the values of the flag that stands before the shell's question. ok is false if
// no such flag does: then the library knows what may follow. A flag that takes a file has none, so
// that the shell goes on with files.
func (p *program) complete() (ok bool) {
	name, rest := job.Split(p.Args)
	at := slices.Index(rest, completionFlag)
	c := find(name)
	if c == nil || at < 1 {
		return false
	}
	for _, f := range c.declared() {
		if "--"+f.Name == rest[at-1] && f.Kind == settings.Takes {
			fmt.Fprint(p.Std.Out, strings.Join(append(f.Words, ""), "\n"))
			return true
		}
	}
	return false
}

// fishCompletion is the library's script for fish, except that it lets fish complete files, too.
func (p *program) fishCompletion(ctx context.Context) error {
	var script bytes.Buffer
	c := p.tree()
	c.Writer = &script
	if err := c.Run(ctx, p.Args); err != nil {
		return err
	}
	_, err := io.WriteString(p.Std.Out, strings.Replace(script.String(), " -f -a ", " -a ", 1))
	return err
}
