package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"sync"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/source"
)

// undo is an undo of a job. Its own journal lies in a folder beside that of the job and has the same
// chunks, of which it knows the imported edges alone.
type undo struct {
	migrate.Journal // its own
	of              *checkpoint.Journal

	mu      sync.Mutex // guards what follows
	created inspect.Created
	sets    map[int64]migrate.EdgeSet // of the rosters under way
}

func (u *undo) operation() job.Operation {
	return job.Operation{
		Command: "undo", Folder: folder.Undo, Settled: "deleted", Sent: "deleted", Suffix: "-2",
		Prepare: u.prepare, EdgeBytes: sink.DeleteBytes,
		Caller:   func(r *job.Run) migrate.Caller { return migrate.CallerFunc(r.Client.Delete) },
		Outcomes: func(*job.Run) migrate.Journal { return u },
		Rosters:  u.rosters,
	}
}

// prepare opens the job, its stage and the undo's own journal, which it creates if need be.
func (u *undo) prepare(ctx context.Context, r *job.Run) (err error) {
	dir := filepath.Dir(r.Dir)
	if u.of, err = checkpoint.Open(r.FS, dir, checkpoint.Options{ReadOnly: true}); err != nil {
		return err
	}
	u.created.Journal, u.sets = u.of, map[int64]migrate.EdgeSet{}
	id, want := u.of.Identity(), r.Identity()
	want.Inputs, want.Options = id.Inputs, id.Options
	if differences := id.Differs(want); len(differences) > 0 {
		return r.OtherJob(differences)
	}
	s, meta, err := source.OpenStaged(filepath.Join(dir, folder.Staged), r.FS)
	if err != nil {
		return fmt.Errorf("%w: %w; nothing was deleted", inspect.ErrGone, err)
	}
	if r.Stage, r.Counts = s, meta.Counts; s.Totals().PlanDigest != id.PlanDigest {
		return fmt.Errorf("the staged input in %q is not the one that the journal beside it speaks of", dir)
	}
	if err := r.OpenJournal(); err != nil {
		return err
	}
	if r.Journal == nil {
		if err := checkpoint.Create(r.FS, r.Dir, undoIdentity(u.of)); err != nil {
			return err
		}
		if err := r.OpenJournal(); err != nil {
			return err
		}
	}
	u.Journal = r.Journal
	return r.OpenClient(ctx)
}

// undoIdentity is the job whose edges are those that the journal has as imported.
func undoIdentity(of *checkpoint.Journal) checkpoint.Identity {
	id, t := of.Identity(), of.Totals()
	options := map[string]string{checkpoint.CommandOption: "undo"}
	id.Options, id.Created = options, time.Now().UTC()
	id.Edges, id.Added, id.Rows = t.Imported, t.Added.Imported, t.Imported-t.Added.Imported
	id.Rejected, id.Duplicates = 0, 0
	return id
}

// rosters notes, as the plan goes by, which edges of each roster the job has imported.
func (u *undo) rosters(plan iter.Seq2[migrate.Roster, error]) iter.Seq2[migrate.Roster, error] {
	return func(yield func(migrate.Roster, error) bool) {
		for r, err := range plan {
			for i := range r.Chunks {
				set, wrong := u.imported(r.First + int64(i))
				if err = errors.Join(err, wrong); wrong == nil && set != (migrate.EdgeSet{}) {
					u.mu.Lock()
					u.sets[r.First+int64(i)] = set
					u.mu.Unlock()
				}
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// imported is what the job has imported of a chunk.
func (u *undo) imported(ordinal int64) (migrate.EdgeSet, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if set, known := u.sets[ordinal]; known {
		return set, nil
	}
	return u.created.Of(context.Background(), ordinal)
}

// Part counts the edges of a chunk that the job has imported.
func (u *undo) Part(ordinal int64) int {
	set, _ := u.imported(ordinal)
	return set.Len()
}

// Open implements migrate.Journal: other edges than imported ones are never open. Where the job's
// journal cannot be read, none is.
func (u *undo) Open(ordinal int64, n int) (migrate.EdgeSet, bool) {
	open, maybeSent := u.Journal.Open(ordinal, n)
	if open == (migrate.EdgeSet{}) {
		return open, maybeSent
	}
	set, err := u.imported(ordinal)
	if err != nil {
		return migrate.EdgeSet{}, maybeSent
	}
	return open.And(set), maybeSent
}

// Settle implements migrate.Journal.
func (u *undo) Settle(ctx context.Context, s migrate.Settlement) error {
	if err := u.Journal.Settle(ctx, s); err != nil {
		return err
	}
	if open, _ := u.Open(s.Chunk.Ordinal, len(s.Chunk.Edges)); open == (migrate.EdgeSet{}) {
		u.mu.Lock()
		delete(u.sets, s.Chunk.Ordinal)
		u.mu.Unlock()
	}
	return nil
}

func (u *undo) close() error {
	if u.of == nil {
		return nil
	}
	return u.of.Close()
}
