package accounts

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source/accountlist"
)

// ListName is the list of a pass, in its folder.
const ListName = "accounts.csv"

// The commands of passes, as their identity has them.
const (
	asking    = "accounts"
	importing = "accounts --import"
)

// Pass is one way through a list of accounts.
type Pass struct {
	Journal *checkpoint.Journal
	Resumed bool // it had begun before

	fs     disk.FS
	folder string // of all passes
	number int
}

// Open opens the present pass in a folder; nil if there is none. What is left of others is removed.
func Open(fsys disk.FS, folder string) (*Pass, error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for accounts: %w", err)
	}
	p := &Pass{fs: fsys, folder: folder, Resumed: true}
	for _, e := range entries {
		n, _ := strconv.Atoi(e.Name())
		there, err := checkpoint.Exists(fsys, filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		if there && n > p.number {
			p.number = n
		}
	}
	for _, e := range entries {
		if e.Name() == strconv.Itoa(p.number) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(folder, e.Name())); err != nil {
			return nil, fmt.Errorf("remove an earlier list of accounts: %w", err)
		}
	}
	if p.number == 0 {
		return nil, nil
	}
	p.Journal, err = checkpoint.Open(fsys, p.dir(), checkpoint.Options{})
	return p, err
}

func (p *Pass) dir() string { return filepath.Join(p.folder, strconv.Itoa(p.number)) }

// First begins the first pass. write writes the list of ids to a file and returns the identity of
// the job that they are of, with their number as Edges and Rows.
func First(fsys disk.FS, folder string, write func(file string) (checkpoint.Identity, error)) (*Pass, error) {
	p := &Pass{fs: fsys, folder: folder, number: 1}
	return p, p.begin(asking, write)
}

// Next closes the pass and begins one over what it leaves: to import it, or to ask about it.
func (p *Pass) Next(imports bool) (*Pass, error) {
	command := asking
	if imports {
		command = importing
	}
	next := &Pass{fs: p.fs, folder: p.folder, number: p.number + 1}
	err := next.begin(command, func(file string) (checkpoint.Identity, error) {
		id := p.Journal.Identity()
		id.Edges = 0
		err := p.list(file, []string{"UserID"}, func(row []string) []string {
			id.Edges++
			return row[:1]
		})
		return id, err
	})
	return next, errors.Join(err, p.Journal.Close(), os.RemoveAll(p.dir()))
}

// begin makes the pass. Dying before its journal is there leaves the one before.
func (p *Pass) begin(command string, write func(file string) (checkpoint.Identity, error)) error {
	if err := p.fs.MkdirAll(p.dir(), disk.FolderMode); err != nil {
		return err
	}
	id, err := write(filepath.Join(p.dir(), ListName))
	if err != nil {
		return err
	}
	id.Options = maps.Clone(id.Options)
	id.Options[checkpoint.CommandOption] = command
	id.Chunks, id.Created = (id.Edges+sink.MaxAccounts-1)/sink.MaxAccounts, time.Now().UTC()
	if err := checkpoint.Create(p.fs, p.dir(), id); err != nil {
		return err
	}
	p.Journal, err = checkpoint.Open(p.fs, p.dir(), checkpoint.Options{})
	return err
}

// Imports reports whether the pass imports accounts.
func (p *Pass) Imports() bool { return p.Journal.Identity().Command() == importing }

// Counts is what is known of the accounts of the job.
type Counts struct {
	All     int64 `json:"accounts"`
	Exist   int64 `json:"exist"`
	Missing int64 `json:"missing"` // or without a verdict that they exist
	Unasked int64 `json:"unasked"`
}

// Counts tells what is known.
func (p *Pass) Counts() Counts {
	id, t := p.Journal.Identity(), p.Journal.Totals()
	c := Counts{All: id.Rows, Exist: id.Rows - id.Edges + t.Imported, Missing: t.Failed, Unasked: t.Pending}
	if p.Imports() { // they were missing before
		c.Missing, c.Unasked = t.Failed+t.Pending, 0
	}
	return c
}

// batches yields the ids of the pass, by call.
func (p *Pass) batches(ctx context.Context) iter.Seq2[migrate.Chunk, error] {
	return func(yield func(migrate.Chunk, error) bool) {
		if p.Journal.Identity().Edges == 0 {
			return
		}
		list, err := accountlist.Open(filepath.Join(p.dir(), ListName), nil)
		if err != nil {
			yield(migrate.Chunk{}, err)
			return
		}
		c := migrate.Chunk{}
		for a, err := range list.All(ctx) {
			if err != nil {
				yield(c, err)
				return
			}
			c.Edges = append(c.Edges, migrate.Edge{To: a.ID})
			if len(c.Edges) < sink.MaxAccounts {
				continue
			}
			if !yield(c, nil) {
				return
			}
			c = migrate.Chunk{Ordinal: c.Ordinal + 1}
		}
		if len(c.Edges) > 0 {
			yield(c, nil)
		}
	}
}

// Plan is the calls that are open. Each is a roster of its own, under the name of its first account.
func (p *Pass) Plan(ctx context.Context) iter.Seq2[migrate.Roster, error] {
	return func(yield func(migrate.Roster, error) bool) {
		for c, err := range p.batches(ctx) {
			if err == nil && p.Journal.Done(c.Ordinal, 1) {
				continue
			}
			r := migrate.Roster{First: c.Ordinal, Chunks: 1, Edges: int64(len(c.Edges)), ChunkBytes: 16 << 10}
			if err == nil {
				c.From = c.Edges[0].To
				r.From, r.Load = c.From, func(int) (migrate.Chunk, error) { return c, nil }
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// Caller asks about the accounts of a call, or imports them.
func Caller(call func(ctx context.Context, ids []string) ([]sink.Presence, error)) migrate.Caller {
	return migrate.CallerFunc(func(ctx context.Context, _ string, edges []migrate.Edge) ([]migrate.Outcome, error) {
		ids := make([]string, len(edges))
		for i := range edges {
			ids[i] = edges[i].To
		}
		answers, err := call(ctx, ids)
		if err != nil {
			return nil, err
		}
		outcomes := make([]migrate.Outcome, len(edges))
		for i, a := range answers {
			o := migrate.Outcome{Kind: migrate.Failed, Code: a.Code, Info: a.Info}
			switch {
			case a.Known && a.Exists:
				o.Kind = migrate.Imported
			case a.Known:
				o.Info = "NotImported"
			case a.Again:
				o.Kind = migrate.Again
			}
			outcomes[i] = o
		}
		return outcomes, nil
	})
}

// WriteMissing writes the list of the accounts that are missing as far as is known, whole, in the
// order of their bytes.
func (p *Pass) WriteMissing(file string) error {
	return p.list(file, []string{"UserID", "ResultCode", "ResultInfo"}, func(row []string) []string { return row })
}

// list writes a row for each account that is missing.
func (p *Pass) list(file string, header []string, row func([]string) []string) error {
	rows := newRows(p.fs, file)
	defer rows.spool.Close()
	for f, err := range p.Journal.Failures() {
		if err != nil {
			return err
		}
		rows.add(f.Edge.To, f.Code, f.Info)
	}
	if p.Imports() && p.Journal.Totals().Pending > 0 {
		for c, err := range p.batches(context.Background()) {
			if err != nil {
				return err
			}
			open, _ := p.Journal.Open(c.Ordinal, len(c.Edges))
			for _, i := range open.Indexes() {
				rows.add(c.Edges[i].To, 0, "NotImported")
			}
		}
	}
	return disk.WriteWhole(p.fs, file, func(w io.Writer) error {
		out := csv.NewWriter(w)
		rows.err = errors.Join(rows.err, out.Write(header))
		for fields, err := range rows.all() {
			if err != nil {
				return err
			}
			rows.err = errors.Join(rows.err, out.Write(row(fields)))
		}
		out.Flush()
		return errors.Join(rows.err, out.Error())
	})
}
