package doctor

import (
	"context"
	"encoding/csv"
	"io"
	"iter"
	"sync"

	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/verify"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source/accountlist"
	"friendmigrate/source/spool"
)

// Existing asks account_check which accounts of a file exist. It is the engine's Caller and
// Journal: 100 ids are a roster.
type Existing struct {
	FS     disk.FS
	File   *accountlist.File
	Sample int64 // so many of them, 0: all
	Seed   uint64
	Out    string // the list of those that do not exist
	Check  func(ctx context.Context, ids []string) ([]sink.Account, error)

	spool *spool.Spool

	mu   sync.Mutex // guards what follows
	now  Counted
	part map[int64]migrate.EdgeSet // what is settled of calls that are settled in part
}

// Counted is what account_check has said.
type Counted struct {
	Named   int64 `json:"named"` // in the file
	Asked   int64 `json:"asked"` // of those; an id that comes again soon after is asked about once
	Exist   int64 `json:"exist"`
	Missing int64 `json:"missing"`
	Unknown int64 `json:"unknown"` // no verdict
}

const codeMissing = 1

const spoolMemory = 8 << 20

// Now tells how far it is. Any goroutine may call it.
func (x *Existing) Now() Counted {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.now
}

// Run asks, and writes the list of the missing whole, in the order of the file, whatever the run
// came to.
func (x *Existing) Run(ctx context.Context, engine migrate.Options) error {
	x.now, x.part = Counted{Named: x.File.Count}, map[int64]migrate.EdgeSet{}
	x.spool = spool.New(x.FS, x.Out+".spool", spoolMemory)
	engine.CallBytes, engine.EdgeBytes = 1, func(*migrate.Edge) int { return 0 }
	_, err := migrate.Run(ctx, x.plan(context.WithoutCancel(ctx)), x, x, engine)
	written := disk.WriteWhole(x.FS, x.Out, func(w io.Writer) error {
		out := csv.NewWriter(w)
		if err := out.Write([]string{folder.AccountsHeader}); err != nil {
			return err
		}
		for row, err := range x.spool.Rows() {
			if err != nil {
				return err
			}
			if err := out.Write([]string{string(row.Data)}); err != nil {
				return err
			}
		}
		out.Flush()
		return out.Error()
	})
	if closed := x.spool.Close(); written == nil {
		written = closed
	}
	if err == nil {
		err = written
	}
	return err
}

// chosen lists the accounts that are asked about.
func (x *Existing) chosen(ctx context.Context) iter.Seq2[accountlist.Account, error] {
	if x.Sample == 0 || x.Sample >= x.File.Count {
		return x.File.All(ctx)
	}
	return func(yield func(accountlist.Account, error) bool) {
		drawn, number := verify.Draw(x.File.Count, x.Sample, x.Seed), int64(0)
		for a, err := range x.File.All(ctx) {
			if err != nil || len(drawn) > 0 && drawn[0] == number {
				if !yield(a, err) || err != nil {
					return
				}
				drawn = drawn[1:]
			}
			if number++; len(drawn) == 0 {
				return
			}
		}
	}
}

// plan is the accounts, in calls.
func (x *Existing) plan(ctx context.Context) iter.Seq2[migrate.Roster, error] {
	return func(yield func(migrate.Roster, error) bool) {
		number := int64(0)
		batch, in := []migrate.Edge(nil), map[string]struct{}{}
		flush := func() bool {
			if len(batch) == 0 {
				return true
			}
			chunk := migrate.Chunk{Ordinal: number, From: batch[0].To, Edges: batch}
			number++
			batch = nil
			clear(in)
			return yield(migrate.Roster{
				From: chunk.From, First: chunk.Ordinal, Chunks: 1, Edges: int64(len(chunk.Edges)), ChunkBytes: 16 << 10,
				Load: func(int) (migrate.Chunk, error) { return chunk, nil },
			}, nil)
		}
		for a, err := range x.chosen(ctx) {
			if err != nil {
				yield(migrate.Roster{}, err)
				return
			}
			x.add(a, &batch, in)
			if len(batch) == sink.MaxAccounts && !flush() {
				return
			}
		}
		flush()
	}
}

// add puts an account into the batch, unless it is there already.
func (x *Existing) add(a accountlist.Account, batch *[]migrate.Edge, in map[string]struct{}) {
	if _, twice := in[a.ID]; twice {
		return
	}
	x.mu.Lock()
	x.now.Asked++
	x.mu.Unlock()
	in[a.ID] = struct{}{}
	*batch = append(*batch, migrate.Edge{To: a.ID, Position: migrate.Position{Line: a.Line}})
}

// Call implements migrate.Caller.
func (x *Existing) Call(ctx context.Context, _ string, edges []migrate.Edge) ([]migrate.Outcome, error) {
	ids := make([]string, len(edges))
	for i := range edges {
		ids[i] = edges[i].To
	}
	list, err := x.Check(ctx, ids)
	if err != nil {
		return nil, err
	}
	outcomes := make([]migrate.Outcome, len(edges))
	for i, a := range list {
		switch {
		case a.Known && a.Exists:
			outcomes[i] = migrate.Outcome{Kind: migrate.Imported}
		case a.Known:
			outcomes[i] = migrate.Outcome{Kind: migrate.Failed, Code: codeMissing}
		case a.Again:
			outcomes[i] = migrate.Outcome{Kind: migrate.Again, Code: a.Code, Info: a.Info}
		default:
			outcomes[i] = migrate.Outcome{Kind: migrate.Failed, Code: a.Code, Info: a.Info}
		}
	}
	return outcomes, nil
}

// Open implements migrate.Journal. Nothing is kept over an interruption.
func (x *Existing) Open(ordinal int64, n int) (migrate.EdgeSet, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	open, settled := migrate.FullSet(n), x.part[ordinal]
	for _, i := range settled.Indexes() {
		open.Remove(i)
	}
	return open, false
}

// Settle implements migrate.Journal.
func (x *Existing) Settle(_ context.Context, s migrate.Settlement) error {
	x.note(s)
	for _, settled := range s.Edges {
		x.mu.Lock()
		switch {
		case settled.Outcome.Kind == migrate.Imported:
			x.now.Exist++
		case settled.Outcome.Code == codeMissing:
			x.now.Missing++
		default:
			x.now.Unknown++
		}
		x.mu.Unlock()
		if settled.Outcome.Kind == migrate.Failed && settled.Outcome.Code == codeMissing {
			e := &s.Chunk.Edges[settled.Index]
			if err := x.spool.Add(migrate.Position{Line: e.Line}, []byte(e.To)); err != nil {
				return err
			}
		}
	}
	return nil
}

// note remembers what is settled of a call until all of it is.
func (x *Existing) note(s migrate.Settlement) {
	x.mu.Lock()
	defer x.mu.Unlock()
	set := x.part[s.Chunk.Ordinal]
	for _, settled := range s.Edges {
		set.Add(settled.Index)
	}
	if x.part[s.Chunk.Ordinal] = set; set.Len() == len(s.Chunk.Edges) {
		delete(x.part, s.Chunk.Ordinal)
	}
}
