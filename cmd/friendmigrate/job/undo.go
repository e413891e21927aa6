package job

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"sync"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/exit"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/cmd/friendmigrate/settings"
	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source"
)

// Undo is an undo of a job. Its own journal lies in a folder beside that of the job and has the same
// chunks, of which it knows the imported edges alone.
type Undo struct {
	migrate.Journal // its own
	of              *checkpoint.Journal

	mu      sync.Mutex // guards what follows
	created inspect.Created
	sets    map[int64]migrate.EdgeSet // of the rosters under way
}

// Operation is friend_delete of those edges.
func (u *Undo) Operation() Operation {
	return Operation{
		Command: "undo", Folder: folder.Undo, Suffix: "-2",
		Doing: "deleting", Did: "deleted", Settled: "deleted", Sent: "deleted",
		Prepare: u.prepare, EdgeBytes: sink.DeleteBytes,
		Caller:   func(r *Run) migrate.Caller { return migrate.CallerFunc(r.Client.Delete) },
		Outcomes: func(*Run) migrate.Journal { return u },
		Rosters:  u.rosters,
	}
}

// prepare opens the job, its stage and the undo's own journal, which it creates if need be.
func (u *Undo) prepare(ctx context.Context, r *Run) (err error) {
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
	r.Stage, r.Counts = s, meta.Counts
	if err := r.CheckPlan(u.of); err != nil {
		return err
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
func (u *Undo) rosters(plan iter.Seq2[migrate.Roster, error]) iter.Seq2[migrate.Roster, error] {
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
func (u *Undo) imported(ordinal int64) (migrate.EdgeSet, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if set, known := u.sets[ordinal]; known {
		return set, nil
	}
	return u.created.Of(context.Background(), ordinal)
}

// Part counts the edges of a chunk that the job has imported.
func (u *Undo) Part(ordinal int64) int {
	set, _ := u.imported(ordinal)
	return set.Len()
}

// Open implements migrate.Journal: other edges than imported ones are never open. Where the job's
// journal cannot be read, none is.
func (u *Undo) Open(ordinal int64, n int) (migrate.EdgeSet, bool) {
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
func (u *Undo) Settle(ctx context.Context, s migrate.Settlement) error {
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

// Close closes the journal of the job.
func (u *Undo) Close() error {
	if u.of == nil {
		return nil
	}
	return u.of.Close()
}

// evident reports whether the journal or a probe shows that what the service said to be imported was
// new.
func evident(journal *checkpoint.Journal, probed folder.Probed) bool {
	id, asked := journal.Identity(), 0
	if probed.Already && probed.SDKAppID == id.SDKAppID && probed.Target == id.Target {
		return true
	}
	runs := journal.Runs()
	for _, run := range runs {
		if run.Start.OnlyMissing {
			asked++
		}
	}
	switch asked {
	case len(runs):
		return true
	case 0:
		return journal.Totals().Already > 0
	}
	return false // whose answer "already" was nobody knows
}

// ReportUndone says in the report of the job in dir how far its undo is.
func ReportUndone(dir string) error {
	r, err := report.Read(filepath.Join(dir, folder.Report))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		r.Undone, err = inspect.Undoing(dir)
	}
	if err = errors.Join(err, WriteReport(disk.OS{}, dir, r)); err != nil {
		return exit.Errorf(exit.Unexpected, "", "say in the report that the job was undone: %w", err)
	}
	return nil
}

// CheckUndo looks, without changing anything, whether the job in dir can be undone. Without --yes it
// says what that would do.
func (p *Program) CheckUndo(ctx context.Context, dir string, set settings.Settings) (err error) {
	jobs, err := inspect.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, jobs.Close()) }()
	begun, err := inspect.Undoing(dir)
	if err != nil {
		return err
	}
	probed, err := folder.ReadProbed(set.Job.State)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		switch {
		case j.Journal == nil:
			return fmt.Errorf("%w in %q", folder.ErrNoJob, j.Dir)
		case j.Journal.Identity().Command() != "import":
			return Unusable(p.Line().With("state", "FOLDER"), "%q is the state of an %s, which created no friendship",
				j.Dir, j.Journal.Identity().Command())
		case j.Shard != (settings.Shard{}):
			return Unusable(p.Line().With("shard", j.Shard.String()),
				"%q holds a job in shards: name the one to undo, one after the other", dir)
		case begun != nil || set.AssumeNew || evident(j.Journal, probed):
			continue
		}
		found, next := "nothing shows", p.As(p.Line(), "doctor", "json").With("probe", "FROM,TO")
		if id := j.Journal.Identity(); probed.SDKAppID == id.SDKAppID && probed.Target == id.Target {
			found, next = "doctor --probe did not show", p.Line().With("assume-new", "")
		}
		return Unusable(next, "%s that the edges that %q imported were new: undo would delete friendships that this "+
			"app had before and answered \"imported\" for; --assume-new says that there were none", found, dir)
	}
	if set.Yes {
		return nil
	}
	var only func(string) bool
	if set.OnlyAccounts != "" {
		list, err := p.OpenAccounts(ctx, "--only-accounts", set.OnlyAccounts)
		if err != nil {
			return err
		}
		named, err := list.Set(ctx)
		if err != nil {
			return err
		}
		only = func(from string) bool { _, has := named[from]; return has }
	}
	would, err := jobs.Undo(ctx, io.Discard, only)
	if err != nil {
		return errors.Join(p.Stopped(ctx, "stopped by %w; nothing was deleted"), err)
	}
	least := time.Duration(float64(would.Calls) / set.Rate * float64(time.Second))
	return Unusable(p.Line().With("yes", ""), "undo would delete %s of %s, in %s, at least %s at %g per second; "+
		"nothing was deleted", terminal.Some(would.Pairs, "edge"), terminal.Some(would.Accounts, "account"),
		terminal.Some(would.Calls, "call"), terminal.Span(least), set.Rate)
}
