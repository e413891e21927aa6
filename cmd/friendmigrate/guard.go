package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/settings"
)

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
