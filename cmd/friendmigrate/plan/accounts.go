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
)

// accounts collects the distinct ids of both sides in bounded memory: each goroutine drops those
// that it has seen of late, the rest is sorted, on disk where it is much.
type accounts struct {
	spool *spool.Spool
	each  int // bytes of the ids that a goroutine remembers
}

func newAccounts(j *job) *accounts {
	dir := filepath.Dir(j.AccountsOut)
	if j.scratch != nil {
		dir = j.scratch.dir
	}
	memory := j.Memory / 4
	return &accounts{
		spool: spool.New(disk.OS{}, filepath.Join(dir, filepath.Base(j.AccountsOut)+".spool"), memory),
		each:  int(memory) / j.Lanes,
	}
}

// names are the ids that one goroutine has seen and not passed on.
type names struct {
	seen  map[string]struct{}
	bytes int
}

// nameBytes is what an id takes in names beside its bytes.
const nameBytes = 64

// name takes up an id, if ids are collected.
func (w *measurer) name(id string) error {
	if w.job.accounts == nil {
		return nil
	}
	n := &w.names
	if _, known := n.seen[id]; known {
		return nil
	}
	if n.seen == nil {
		n.seen = map[string]struct{}{}
	}
	n.seen[strings.Clone(id)] = struct{}{}
	if n.bytes += len(id) + nameBytes; n.bytes < w.job.accounts.each {
		return nil
	}
	return w.flush()
}

// flush passes the ids on.
func (w *measurer) flush() error {
	for id := range w.names.seen {
		if err := w.job.accounts.spool.Add(migrate.Position{}, []byte(id)); err != nil {
			return fmt.Errorf("collect accounts: %w", err)
		}
	}
	w.names = names{}
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
