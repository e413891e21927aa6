package accounts

import (
	"bytes"
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
	"slices"
	"strconv"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source/spool"
)

// listName is the name of a pass's list in its folder: a CSV whose first column is the id.
const listName = "accounts.csv"

// The commands of passes, as recorded in their identity.
const (
	asking    = "accounts"
	importing = "accounts --import"
)

// Pass is one pass over a list of accounts.
type Pass struct {
	Journal *checkpoint.Journal
	Resumed bool // an earlier process began it

	fs     disk.FS
	folder string // of all passes
	number int
}

// Open opens the current pass in a folder, and returns nil if there is none. It removes the remains
// of other passes.
func Open(fsys disk.FS, folder string) (*Pass, error) {
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for accounts: %w", err)
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !e.IsDir() }) // not lists of reading INPUT
	p := &Pass{fs: fsys, folder: folder, Resumed: true}
	for _, e := range entries {
		there, err := checkpoint.Exists(fsys, filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		if n, _ := strconv.Atoi(e.Name()); there {
			p.number = max(p.number, n)
		}
	}
	for _, e := range entries {
		if other := filepath.Join(folder, e.Name()); other != p.dir() {
			if err := os.RemoveAll(other); err != nil {
				return nil, fmt.Errorf("remove an earlier list of accounts: %w", err)
			}
		}
	}
	if p.number == 0 {
		return nil, nil
	}
	p.Journal, err = checkpoint.Open(fsys, p.dir())
	return p, err
}

func (p *Pass) dir() string { return filepath.Join(p.folder, strconv.Itoa(p.number)) }

// First begins the first pass. write writes the list of ids to a file and returns the identity of
// their job, with the number of ids as Edges and Rows.
func First(fsys disk.FS, folder string, write func(file string) (checkpoint.Identity, error)) (*Pass, error) {
	p := &Pass{fs: fsys, folder: folder, number: 1}
	return p, p.begin(asking, write)
}

// Next begins a pass over the accounts that are still missing or without a verdict, to import or to
// ask about them, and then removes this one. After an error this one goes on.
func (p *Pass) Next(imports bool) (*Pass, error) {
	command := asking
	if imports {
		command = importing
	}
	next := &Pass{fs: p.fs, folder: p.folder, number: p.number + 1}
	err := next.begin(command, func(file string) (checkpoint.Identity, error) {
		id := p.Journal.Identity()
		id.Edges = p.Counts().Missing
		return id, p.WriteMissing(file)
	})
	if err != nil {
		return nil, err
	}
	return next, errors.Join(p.Journal.Close(), os.RemoveAll(p.dir()))
}

// begin makes the pass. After a kill before its journal exists, the previous pass is still the
// current one.
func (p *Pass) begin(command string, write func(file string) (checkpoint.Identity, error)) error {
	if err := p.fs.MkdirAll(p.dir(), disk.FolderMode); err != nil {
		return err
	}
	id, err := write(filepath.Join(p.dir(), listName))
	if err != nil {
		return err
	}
	id.Options = maps.Clone(id.Options)
	id.Options[checkpoint.CommandOption] = command
	id.Chunks = (id.Edges + sink.MaxAccounts - 1) / sink.MaxAccounts
	p.Journal, err = checkpoint.Begin(p.fs, p.dir(), id)
	return err
}

// Imports reports whether the pass imports accounts.
func (p *Pass) Imports() bool { return p.Journal.Identity().Command() == importing }

// Counts are the numbers of accounts of the job.
type Counts struct {
	All     int64 `json:"accounts"`
	Exist   int64 `json:"exist"`
	Missing int64 `json:"missing"` // missing, or without a verdict
	Unasked int64 `json:"unasked"`
}

// Counts returns the numbers so far.
func (p *Pass) Counts() Counts {
	id, t := p.Journal.Identity(), p.Journal.Totals()
	c := Counts{All: id.Rows, Exist: id.Rows - id.Edges + t.Imported, Missing: t.Failed, Unasked: t.Pending}
	if p.Imports() { // accounts of this pass that exist now were missing before
		c.Missing, c.Unasked = t.Failed+t.Pending, 0
	}
	return c
}

// Plan returns the calls that are still to make. Each is a roster of one chunk, named after its
// first id. Groups of an edge are what the previous pass was told of the account: code and text.
func (p *Pass) Plan() iter.Seq2[migrate.Roster, error] {
	return func(yield func(migrate.Roster, error) bool) {
		list, err := os.Open(filepath.Join(p.dir(), listName))
		if err != nil {
			yield(migrate.Roster{}, err)
			return
		}
		defer list.Close() // only read from
		rows := csv.NewReader(list)
		_, err = rows.Read() // the header
		for ordinal := int64(0); err == nil; ordinal++ {
			c := migrate.Chunk{Ordinal: ordinal}
			for len(c.Edges) < sink.MaxAccounts && err == nil {
				var row []string
				if row, err = rows.Read(); err == nil {
					c.Edges = append(c.Edges, migrate.Edge{To: row[0], Groups: row[1:]})
				}
			}
			if len(c.Edges) == 0 || p.Journal.Done(ordinal, 1) {
				continue
			}
			c.From = c.Edges[0].To
			if !yield(migrate.Roster{From: c.From, First: ordinal, Chunks: 1, Edges: int64(len(c.Edges)),
				ChunkMemory: 16 << 10, Load: func(int) (migrate.Chunk, error) { return c, nil }}, nil) {
				return
			}
		}
		if err != io.EOF {
			yield(migrate.Roster{}, fmt.Errorf("read the list of accounts: %w", err))
		}
	}
}

// notImported is the ResultInfo of an account that does not exist.
const notImported = "NotImported"

// told returns what the previous pass was told of an account that it listed.
func told(e *migrate.Edge) migrate.Outcome {
	o := migrate.Outcome{Kind: migrate.Failed, Info: notImported}
	if len(e.Groups) == 2 {
		o.Code, _ = strconv.Atoi(e.Groups[0])
		o.Info = e.Groups[1]
	}
	return o
}

// Caller returns the engine's Caller, which asks about the accounts of a call or imports them. It
// does not import accounts that have a code: account_check did not say that they are missing.
func (p *Pass) Caller(call func(ctx context.Context, ids []string) ([]sink.Presence, error)) migrate.Caller {
	return func(ctx context.Context, _ string, edges []migrate.Edge) ([]migrate.Outcome, error) {
		outcomes := make([]migrate.Outcome, len(edges))
		var sent []migrate.Edge
		var places []int
		for i := range edges {
			if outcomes[i] = told(&edges[i]); outcomes[i].Code == 0 || !p.Imports() {
				sent, places = append(sent, edges[i]), append(places, i)
			}
		}
		if len(sent) == 0 {
			return outcomes, nil
		}
		answers, err := sink.Outcomes(sent, migrate.Outcome{Kind: migrate.Failed, Info: notImported},
			func(ids []string) ([]sink.Presence, error) { return call(ctx, ids) })
		if err != nil {
			return nil, err
		}
		for k, i := range places {
			outcomes[i] = answers[k]
		}
		return outcomes, nil
	}
}

// WriteMissing replaces the list of the accounts known to be missing atomically. It is in the order
// of their bytes.
func (p *Pass) WriteMissing(file string) error {
	rows, line := spool.New(p.fs, file+".spool", 8<<20), new(bytes.Buffer)
	defer rows.Close()
	out := csv.NewWriter(line)
	add := func(ordinal int64, index int, fields ...string) error {
		line.Reset()
		_ = out.Write(fields) // a buffer takes everything
		out.Flush()
		return rows.Add(migrate.Position{Line: ordinal*sink.MaxAccounts + int64(index)}, line.Bytes())
	}
	for f, err := range p.Journal.Failures() {
		if err == nil {
			err = add(f.Ordinal, f.Index, f.Edge.To, strconv.Itoa(f.Code), f.Info)
		}
		if err != nil {
			return err
		}
	}
	if p.Imports() && p.Journal.Totals().Pending > 0 {
		for r, err := range p.Plan() {
			if err != nil {
				return err
			}
			c, _ := r.Load(0)
			open, _ := p.Journal.Unsettled(c.Ordinal, len(c.Edges))
			for _, i := range open.Indexes() {
				o := told(&c.Edges[i])
				if err := add(c.Ordinal, i, c.Edges[i].To, strconv.Itoa(o.Code), o.Info); err != nil {
					return err
				}
			}
		}
	}
	return disk.WriteWhole(p.fs, file, func(w io.Writer) error {
		_, err := io.WriteString(w, "UserID,ResultCode,ResultInfo\n")
		for row, failed := range rows.Rows(context.Background()) {
			if err = errors.Join(err, failed); err == nil {
				_, err = w.Write(row.Data)
			}
			if err != nil {
				break
			}
		}
		return err
	})
}
