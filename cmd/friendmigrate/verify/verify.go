package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path/filepath"
	"strconv"
	"time"

	"friendmigrate/checkpoint"
	"friendmigrate/migrate"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/sink/friendlist"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// rosters goes over rosters as stage.Rosters does.
type rosters = func(ctx context.Context, skip func(first int64, chunks int) bool) iter.Seq2[migrate.Roster, error]

// Options say what is verified and where that is kept.
type Options struct {
	FS       disk.FS
	Dir      string // of the verify's own journal; its owner holds a lock on it
	Lists    string // folder for the lists
	Stage    *stage.Stage
	Counts   source.Counts          // of reading what is staged
	ID       checkpoint.Identity    // the app and the rows: what makes another verify, beside the plan
	Job      *checkpoint.Journal    // of the import of this very plan, nil where there is none
	Accounts func(from string) bool // of which edges are spoken; nil: all
	Rosters  rosters                // of those accounts; nil: Stage.Rosters
	Fields   bool                   // compare fields too
	Sample   int64                  // so many edges only, 0: all
	Seed     uint64                 // of a new sample
}

// Service is what a verify asks. Check and Pages are those of sink.Client.
type Service struct {
	Check func(ctx context.Context, from string, to []string) ([]sink.Relation, error)
	Pages func(from string) friendlist.Pages
}

// Verify is one verify, from its beginning over any number of interruptions to its end. It belongs
// to one goroutine.
type Verify struct {
	Options
	Resumed bool // an earlier run has asked about some of it
	// Doubtful is how many friend lists this run could not believe: FriendNum says another number,
	// or they never stood still or never ended. What they do not show was asked about with
	// friend_check.
	Doubtful int64

	journal *checkpoint.Journal
	scope   scope
	sample  *sample // nil: everything
	window  int64   // edges that are looked up at once
}

// The names under which a verify's own settings stand in its identity.
const (
	optionFields = "--fields"
	optionSample = "--sample"
	optionSeed   = "seed"
)

// Open begins a verify, or goes on with the one in o.Dir if that is the same and has not finished.
// Another one that lies there is forgotten.
func Open(ctx context.Context, o Options) (*Verify, error) {
	v := &Verify{Options: o, window: usualWindow}
	if err := v.measure(ctx); err != nil {
		return nil, err
	}
	if err := v.resume(ctx); err != nil {
		return nil, err
	}
	if v.journal == nil {
		if err := v.begin(ctx); err != nil {
			return nil, errors.Join(err, v.Close())
		}
	}
	if _, err := v.Write(); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

// identity is what makes a verify the same.
func (v *Verify) identity(seed string) checkpoint.Identity {
	id := v.ID
	id.Options = maps.Clone(id.Options)
	if id.Options == nil {
		id.Options = map[string]string{}
	}
	id.Options[optionFields] = strconv.FormatBool(v.Fields)
	id.Options[optionSample], id.Options[optionSeed] = "", ""
	totals := v.Stage.Totals()
	id.Edges, id.Chunks, id.PlanDigest = totals.Edges, totals.Chunks, totals.PlanDigest
	if v.sample != nil {
		id.Edges, id.Chunks = int64(len(v.sample.drawn)), v.sample.chunks
	}
	if v.sampled() {
		id.Options[optionSample], id.Options[optionSeed] = strconv.FormatInt(v.Sample, 10), seed
	}
	return id
}

// sampled reports whether only a part is asked about.
func (v *Verify) sampled() bool { return v.Sample > 0 && v.Sample < v.scope.asked }

// resume takes up what an earlier process has left.
func (v *Verify) resume(ctx context.Context) error {
	journal, err := checkpoint.Open(v.FS, v.Dir, checkpoint.Options{})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, checkpoint.ErrDamaged), errors.Is(err, checkpoint.ErrNewer):
		return v.remove() // it holds nothing that cannot be asked again
	case err != nil:
		return err
	}
	recorded := journal.Identity()
	seed := recorded.Options[optionSeed]
	if v.sampled() {
		if v.Seed, err = strconv.ParseUint(seed, 10, 64); err == nil {
			err = v.draw(ctx)
		}
		if err != nil && ctx.Err() != nil {
			return errors.Join(err, journal.Close())
		}
	}
	want := v.identity(seed)
	if err != nil || len(recorded.Differs(want)) > 0 || recorded.PlanDigest != want.PlanDigest ||
		recorded.Edges != want.Edges || recorded.Chunks != want.Chunks {
		v.sample = nil
		return errors.Join(journal.Close(), v.remove())
	}
	v.journal, v.Resumed = journal, len(journal.Runs()) > 0
	return v.askAgain(ctx)
}

// askAgain takes up those edges again of which an earlier run had no verdict.
func (v *Verify) askAgain(ctx context.Context) error {
	var codes []int
	for code, n := range v.journal.Totals().FailedByCode {
		if n > 0 && !hasVerdict(code) {
			codes = append(codes, code)
		}
	}
	if len(codes) == 0 {
		return nil
	}
	if _, err := v.journal.Reopen(ctx, codes); err != nil {
		return errors.Join(err, v.Close())
	}
	return nil
}

// begin makes the journal of a new verify.
func (v *Verify) begin(ctx context.Context) error {
	if v.sampled() {
		if err := v.draw(ctx); err != nil {
			return err
		}
	}
	if err := v.removeLists(); err != nil {
		return err
	}
	id := v.identity(strconv.FormatUint(v.Seed, 10))
	id.Created = time.Now().UTC()
	if err := checkpoint.Create(v.FS, v.Dir, id); err != nil {
		return err
	}
	var err error
	v.journal, err = checkpoint.Open(v.FS, v.Dir, checkpoint.Options{})
	return err
}

// remove forgets the verify in the folder.
func (v *Verify) remove() error {
	if err := v.FS.Remove(filepath.Join(v.Dir, checkpoint.FileName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the journal of a verify: %w", err)
	}
	return v.FS.SyncDir(v.Dir)
}

// Progress is where a verify stands.
type Progress struct {
	Asked, Edges int64 // so many edges of so many were answered
	Calls        int64 // still to be made, if nothing has to be asked twice
	CallsDone    int64
	Other        int64 // edges that are not there as they should be; of those some may have failed in the job
}

// Progress tells where it stands. It may be called from any goroutine.
func (v *Verify) Progress() Progress {
	t := v.journal.Totals()
	p := Progress{Asked: t.Settled(), Edges: v.Asked(), CallsDone: t.Chunks, Calls: max(0, v.scope.calls-t.Chunks)}
	if v.sample != nil {
		p.Calls = v.sample.chunks - t.Chunks
	}
	for code, n := range t.FailedByCode {
		if hasVerdict(code) {
			p.Other += n
		}
	}
	return p
}

// Asked is how many edges are asked about.
func (v *Verify) Asked() int64 {
	if v.sample != nil {
		return int64(len(v.sample.drawn))
	}
	return v.scope.asked
}

// Run asks about what is open. engine says how: pace, patience, probe and meter; what is about
// failures, bytes and rows is not for it to say.
func (v *Verify) Run(
	ctx context.Context, s Service, engine migrate.Options, calls func() int64,
) (migrate.Summary, error) {
	if v.journal.Totals().Settled() == v.Asked() {
		return migrate.Summary{}, nil
	}
	if err := v.journal.BeginRun(checkpoint.RunStart{At: time.Now().UTC(), Workers: engine.Workers}); err != nil {
		return migrate.Summary{}, err
	}
	// 1000 ids always fit
	engine.CallBytes, engine.EdgeBytes, engine.Envelope = 1<<30, func(*migrate.Edge) int { return 0 }, 0
	var to migrate.Caller = &asker{check: s.Check}
	if v.Fields {
		lists := newReader(s, engine.Memory/2)
		to = lists
		engine.Memory /= 2
		defer func() { v.Doubtful = lists.doubtful.Load() }()
	}
	run := func() (migrate.Summary, error) {
		return migrate.Run(ctx, v.plan(context.WithoutCancel(ctx)), to, asking{v.journal, v}, engine)
	}
	began := time.Now()
	summary, err := run()
	if codes := v.refusals(); err == nil && len(codes) > 0 { // asked again, so that one odd answer makes no edge missing
		if engine.MaxDuration > 0 {
			engine.MaxDuration = max(1, engine.MaxDuration-time.Since(began))
		}
		if _, err = v.journal.Reopen(ctx, codes); err == nil {
			_, err = run()
		}
	}
	// asking twice does no harm
	end := v.journal.EndRun(checkpoint.RunEnd{At: time.Now().UTC(), Calls: calls(), AllAnswered: true})
	if err == nil {
		err = end
	}
	return summary, err
}

// refusals are the codes that were answered instead of yes or no and that do not pass. That an
// account does not exist is a no.
func (v *Verify) refusals() (codes []int) {
	for code, n := range v.journal.Totals().FailedByCode {
		if known, _ := sink.LookupCode(code); n > 0 && code >= 100 && isMissing(code) &&
			known.Call != migrate.VerdictRefuseAccount {
			codes = append(codes, code)
		}
	}
	return codes
}

// Finish ends a verify that has a verdict on everything, after its lists were written: what is run
// next begins anew.
func (v *Verify) Finish() error {
	return errors.Join(v.Close(), v.remove())
}

// Close closes the journal.
func (v *Verify) Close() error {
	if v.journal == nil {
		return nil
	}
	err := v.journal.Close()
	v.journal = nil
	return err
}

// Drawn tells how many edges are asked about, of how many.
func (v *Verify) Drawn() (drawn, of int64) {
	if v.sample == nil {
		return v.scope.asked, v.scope.asked
	}
	return int64(len(v.sample.drawn)), v.sample.from
}
