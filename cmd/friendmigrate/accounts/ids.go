package accounts

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/source/spool"
	"friendmigrate/source/stage"
)

// idBytes is about how many bytes of memory a remembered id takes.
const idBytes = 96

// listIDs writes the distinct ids of both sides of sealed stages to a file, a CSV of one column in
// the order of their bytes, and counts them. It uses at most memory bytes: it skips ids that it has
// seen recently and sorts the rest, on disk if there are many.
func listIDs(ctx context.Context, stages []*stage.Stage, file string, memory int64) (n int64, err error) {
	sorted := spool.New(disk.OS{}, file+".spool", memory/4)
	defer func() { err = errors.Join(err, sorted.Close()) }()
	seen := make([]string, max(1, memory/4/idBytes)) // by hash; a newer id replaces an older one
	add := func(id string) error {
		place := &seen[stage.Hash(id)%uint64(len(seen))]
		if *place == id {
			return nil
		}
		*place = strings.Clone(id)
		return sorted.Add(migrate.Position{}, []byte(id))
	}
	for _, s := range stages {
		if err := eachID(ctx, s, add); err != nil {
			return 0, fmt.Errorf("collect accounts from the staged input: %w", job.StageError(s, err))
		}
	}
	err = disk.WriteWhole(disk.OS{}, file, func(w io.Writer) (err error) {
		n, err = writeIDs(ctx, w, sorted)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("write the list of accounts: %w", err)
	}
	return n, nil
}

// eachID calls add with the ids of a stage, most of them many times.
func eachID(ctx context.Context, s *stage.Stage, add func(id string) error) error {
	for r, err := range s.Rosters(ctx, nil) {
		if err == nil {
			err = add(r.From)
		}
		for i := 0; err == nil && i < r.Chunks; i++ {
			var c migrate.Chunk
			c, err = r.Load(i)
			for k := 0; err == nil && k < len(c.Edges); k++ {
				err = add(c.Edges[k].To)
			}
		}
		if err = errors.Join(err, context.Cause(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// writeIDs writes the sorted ids, each once.
func writeIDs(ctx context.Context, w io.Writer, sorted *spool.Spool) (n int64, err error) {
	out := csv.NewWriter(w)
	if err := out.Write([]string{folder.AccountsHeader}); err != nil {
		return 0, err
	}
	last := ""
	for row, err := range sorted.Rows(ctx) {
		if err != nil {
			return 0, err
		}
		if n > 0 && string(row.Data) == last {
			continue
		}
		last = string(row.Data)
		n++
		if err := out.Write([]string{last}); err != nil {
			return 0, err
		}
	}
	out.Flush()
	return n, out.Error()
}
