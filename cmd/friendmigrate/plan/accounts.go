package plan

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/source/spool"
	"friendmigrate/source/stage"
)

// accounts collects the distinct ids of both sides in bounded memory: those that it has seen of late
// are dropped, the rest is sorted, on disk where it is much. It belongs to one goroutine at a time.
type accounts struct {
	spool *spool.Spool
	room  int // bytes of the ids that are remembered
	seen  map[string]struct{}
	bytes int
	err   error // the first of the spool
}

func newAccounts(j *making) *accounts {
	dir := filepath.Dir(j.AccountsOut)
	if j.scratch != nil {
		dir = j.scratch.dir
	}
	return accountsIn(filepath.Join(dir, filepath.Base(j.AccountsOut)), j.Memory/4)
}

func accountsIn(file string, memory int64) *accounts {
	return &accounts{spool: spool.New(disk.OS{}, file+".spool", memory), room: int(memory), seen: map[string]struct{}{}}
}

// Accounts writes the distinct ids of both sides of sealed stages to a file, as --accounts-out does,
// and counts them. memory bounds what it holds, in bytes.
func Accounts(ctx context.Context, stages []*stage.Stage, file string, memory int64) (n int64, err error) {
	a := accountsIn(file, memory/4)
	defer func() { err = errors.Join(err, a.spool.Close()) }()
	for _, s := range stages {
		for r, err := range s.Rosters(ctx, nil) {
			for i := 0; err == nil && i < r.Chunks; i++ {
				var c migrate.Chunk
				if c, err = r.Load(i); err == nil {
					a.take(c.From, c.Edges)
				}
			}
			if err = errors.Join(err, context.Cause(ctx)); err != nil {
				return 0, fmt.Errorf("read the staged input: %w", err)
			}
		}
	}
	if err := a.flush(); err != nil {
		return 0, err
	}
	return a.save(ctx, file)
}

// nameBytes is what an id takes in memory beside its bytes.
const nameBytes = 64

// take takes up the ids of a call, if ids are collected.
func (a *accounts) take(from string, edges []migrate.Edge) {
	if a == nil {
		return
	}
	a.name(from)
	for i := range edges {
		a.name(edges[i].To)
	}
}

func (a *accounts) name(id string) {
	if _, known := a.seen[id]; known {
		return
	}
	a.seen[strings.Clone(id)] = struct{}{}
	if a.bytes += len(id) + nameBytes; a.bytes >= a.room {
		_ = a.flush() // said at the end
	}
}

// flush passes the ids on.
func (a *accounts) flush() error {
	if a == nil {
		return nil
	}
	for id := range a.seen {
		if a.err == nil {
			a.err = a.spool.Add(migrate.Position{}, []byte(id))
		}
	}
	clear(a.seen)
	a.bytes = 0
	if a.err != nil {
		return fmt.Errorf("collect accounts: %w", a.err)
	}
	return nil
}

// save writes the ids as a CSV of one column, in the order of their bytes, and counts them.
func (a *accounts) save(ctx context.Context, name string) (count int64, err error) {
	err = disk.WriteWhole(disk.OS{}, name, func(w io.Writer) error {
		out := csv.NewWriter(w)
		last, first := "", true
		if err := out.Write([]string{folder.AccountsHeader}); err != nil {
			return err
		}
		for row, err := range a.spool.Rows() {
			if err = errors.Join(err, context.Cause(ctx)); err != nil {
				return err
			}
			if !first && string(row.Data) == last {
				continue
			}
			last, first = string(row.Data), false
			count++
			if err := out.Write([]string{last}); err != nil {
				return err
			}
		}
		out.Flush()
		return out.Error()
	})
	if err != nil {
		return 0, fmt.Errorf("write --accounts-out: %w", err)
	}
	return count, nil
}
