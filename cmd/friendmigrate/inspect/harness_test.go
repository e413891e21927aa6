package inspect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/source"
)

// state is the state of a job that is being made up.
type state struct {
	t       *testing.T
	dir     string
	input   string
	journal *checkpoint.Journal
	plan    []migrate.Chunk
}

const header = "From_Account,To_Account,AddSource\n"

// newState stages a CSV and creates its journal, as import does. Its folder is that of a shard
// below base where there are shards.
func newState(t *testing.T, base string, shard settings.Shard, rows string, options source.Options) *state {
	t.Helper()
	input := filepath.Join(t.TempDir(), "in.csv")
	if err := os.WriteFile(input, []byte(header+rows), 0o600); err != nil {
		t.Fatal(err)
	}
	return stateOf(t, base, input, shard, options)
}

// stateOf is newState for an input that is there.
func stateOf(t *testing.T, base, input string, shard settings.Shard, options source.Options) *state {
	t.Helper()
	s := &state{t: t, dir: folder.Of(base, shard), input: input}
	p, err := source.ReadInputs(t.Context(), source.Request{Inputs: []string{s.input}, StateDir: s.dir, FS: quickFS{}, Options: options, Shard: shard.Index, Shards: shard.Count, Lanes: 2})
	s.must(err)
	s.must(checkpoint.Create(quickFS{}, s.dir, checkpoint.Identity{
		Edges: p.Totals.Edges, Chunks: p.Totals.Chunks, Rows: p.Counts.Rows, Rejected: p.Counts.Rejected, Duplicates: p.Totals.Duplicates, Added: p.Totals.Added,
		Shard: shard.Index, Shards: shard.Count, PlanDigest: p.Totals.PlanDigest,
	}))
	stage, err := p.Seal()
	s.must(err)
	for r, err := range stage.Rosters(t.Context(), nil) {
		s.must(err)
		for i := range r.Chunks {
			c, err := r.Load(i)
			s.must(err)
			s.plan = append(s.plan, c)
		}
	}
	s.must(stage.Close())
	s.open()
	t.Cleanup(func() { s.must(s.journal.Close()) })
	return s
}

func (s *state) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *state) open() {
	var err error
	s.journal, err = checkpoint.Open(quickFS{}, s.dir)
	s.must(err)
}

// run settles every edge of which outcome has something final to say, in a run of its own. A run
// that is killed has no end.
func (s *state) run(killed bool, outcome func(e *migrate.Edge) migrate.Outcome) {
	s.t.Helper()
	s.must(s.journal.BeginRun(checkpoint.RunStart{At: time.Now(), Workers: 1}))
	for _, c := range s.plan {
		open, _ := s.journal.Unsettled(c.Ordinal, len(c.Edges))
		s.must(s.journal.Announce(c.Ordinal))
		settled := migrate.Settlement{Chunk: c}
		for _, k := range open.Indexes() {
			if o := outcome(&c.Edges[k]); o.Kind != migrate.Again {
				settled.Settled = append(settled.Settled, migrate.Settled{Index: k, Outcome: o, Attempts: 3})
			}
		}
		s.must(s.journal.Settle(s.t.Context(), settled))
	}
	if killed {
		s.must(s.journal.Close())
		s.open()
		return
	}
	s.must(s.journal.EndRun(checkpoint.RunEnd{At: time.Now(), Code: 4, AllAnswered: true}))
}

// jobsIn opens what lies in a folder.
func jobsIn(t *testing.T, base string) Jobs {
	t.Helper()
	jobs, err := Open(base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := jobs.Close(); err != nil {
			t.Error(err)
		}
	})
	return jobs
}

func refused(code int) migrate.Outcome {
	return migrate.Outcome{Kind: migrate.Failed, Code: code, Info: fmt.Sprintf("Err_%d", code)}
}

// found explains and returns the findings.
func found(t *testing.T, jobs Jobs, from, to string) ([]Finding, Tally) {
	t.Helper()
	var list []Finding
	tally, err := jobs.Explain(t.Context(), from, to, func(f Finding) error {
		list = append(list, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list, tally
}

var errStop = errors.New("stop")

// quickFS doesn't wait for the disk: no test here loses its power.
type quickFS struct{ disk.OS }

func (f quickFS) OpenFile(name string, flag int, perm fs.FileMode) (disk.File, error) {
	file, err := f.OS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return quickFile{file}, nil
}

func (quickFS) SyncDir(string) error { return nil }

type quickFile struct{ disk.File }

func (quickFile) Sync() error { return nil }
